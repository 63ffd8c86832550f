/** One mail on its way, and what can go wrong for good. */
import { type Sender, formatSender } from '../lib/mail-address.js'
import type { OutgoingMail } from '../types.js'

export interface MailMessage {
  /** Exactly one recipient, a bare address. */
  to: string
  from: Sender
  subject: string
  text: string
  html: string | undefined
  headers: Record<string, string>
  /** `<id@domain>`, the same at every retry. */
  messageId: string
  date: Date
}

/** Refused for good: trying again would change nothing. */
export class PermanentMailError extends Error { }

export interface MailSender {
  send: (message: MailMessage, signal: AbortSignal) => unknown
  close?: () => void
}

/** A mail in plain words, for functions of the host and for the viewer. */
export const toOutgoingMail = ({
  to,
  from,
  subject,
  text,
  html,
  headers,
  messageId,
  date
}: MailMessage): OutgoingMail => ({
  to,
  from: formatSender(from),
  subject,
  text,
  html,
  headers: { ...headers, 'Message-ID': messageId, Date: date.toUTCString().replace('GMT', '+0000') }
})
