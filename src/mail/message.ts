/** A rendered mail, and the interface of the transports that send it. */
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

/** The mail was rejected, and would be again: no retry. */
export class PermanentMailError extends Error { }

export interface MailSender {
  send: (message: MailMessage, signal: AbortSignal) => unknown
  /** Whether a mail server accepts the connection and the login; false if the transport has no server. */
  verify?: () => Promise<boolean>
  close?: () => void
}

/** The message as the host's own `mail.transport` function and the mail viewer get it. */
export const toOutgoingMail = (
  { to, from, subject, text, html, headers, messageId, date }: MailMessage
): OutgoingMail => ({
  to,
  from: formatSender(from),
  subject,
  text,
  html,
  headers: { ...headers, 'Message-ID': messageId, Date: date.toUTCString().replace('GMT', '+0000') }
})
