/**
 * How a mail leaves the process: printed, given to a function of the host, or sent by nodemailer. It goes to one
 * recipient, in limited time. What went wrong is told without passwords and without the mail's links.
 */
import type { NodemailerError, SMTPTransportOptions, Transporter } from 'nodemailer'
import type { OutgoingMail } from '../types.js'
import { refuse } from '../lib/refuse-option.js'
import { formatSender, isAddress, type Sender } from '../lib/mail-address.js'

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

export interface Transport {
  send: (message: MailMessage) => Promise<void>
  close: () => Promise<void>
}

/** Refused for good: trying again would change nothing. */
export class RefusedForGood extends Error {}

interface Way {
  send: (message: MailMessage, signal: AbortSignal) => unknown
  close?: () => void
}

/** Opens what `mail.transport` names. `print` hears what 'console' prints; a mail may take `limit` milliseconds. */
export async function openTransport (option: unknown, print: (text: string) => void = text => { process.stdout.write(text) }, limit = 30_000): Promise<Transport> {
  const way = await findWay(option, print)
  const running = new Set<AbortController>()
  return {
    send: async message => {
      // nodemailer would quote what is around a comma or a line break, and send it to the domain after the last @.
      if (!isAddress(message.to)) throw new RefusedForGood('the recipient is not one address')
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(new Error(`ETIMEDOUT: not sent within ${limit / 1000} s`)), limit)
      running.add(controller)
      try {
        const sending = way.send({ ...message, subject: message.subject.replace(/[\s\p{Cc}]+/gu, ' ').trim() }, controller.signal)
        await Promise.race([sending, whenAborted(controller.signal)])
      } catch (error) {
        throw controller.signal.aborted ? controller.signal.reason : explain(error)
      } finally {
        clearTimeout(timer)
        running.delete(controller)
      }
    },
    close: async () => {
      for (const controller of running) controller.abort(new Error('ECONNECTION: the server stopped while the mail was being sent'))
      way.close?.()
    }
  }
}

const whenAborted = (signal: AbortSignal) => new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const isSmtpUrl = (option: string) => /^smtps?:\/\/[^\s/?#]+\/?(\?[^\s@#]*)?$/i.test(option) && URL.canParse(option)

/** nodemailer would wait minutes, and hold a process that closes for a dead server's goodbye. The host's own win over these. */
const timeouts = { dnsTimeout: 5000, connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 15_000, socketCloseTimeout: 0 }

async function findWay (option: unknown, print: (text: string) => void): Promise<Way> {
  if (option === 'console') return { send: message => print(readable(message)) }
  if (typeof option === 'function') return { send: async message => await option(plainMail(message)) }
  if (typeof option === 'string' && isSmtpUrl(option)) return await openNodemailer({ ...timeouts, url: option })
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    return refuse("mail.transport: must be 'console', an smtp:// or smtps:// URL (with its password percent-encoded), nodemailer's options, transporter or plugin, or a function")
  }
  // The host's own: it may send other mail of the app, and is not ours to close.
  if (can('sendMail', option)) return { send: sendWith(option as Transporter) }
  return await openNodemailer(can('send', option) ? option : { ...timeouts, ...option })
}

const can = (method: string, object: object) => typeof (object as Record<string, unknown>)[method] === 'function'

async function openNodemailer (options: object): Promise<Way> {
  const transporter = await createOrRefuse(options)
  const { name, options: resolved } = transporter.transporter as { name?: string, options?: SMTPTransportOptions }
  // nodemailer would mail to localhost, when an environment variable is not set or a service is misspelt.
  if (name?.startsWith('SMTP') && !resolved?.host) refuse('mail.transport: names no host, and no other way to send that nodemailer knows')
  return { send: sendWith(transporter), close: () => { transporter.close() } }
}

async function createOrRefuse (options: object): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  try {
    return createTransport(options)
  } catch (error) {
    return refuse(`mail.transport: ${explain(error).message}`)
  }
}

/** Every address is an object, never a string for nodemailer to parse, and so is the envelope's. */
const sendWith = (transporter: Transporter): Way['send'] => async ({ to, ...message }, signal) => {
  const recipient = { name: '', address: to }
  await transporter.sendMail({
    ...message, to: recipient, envelope: { from: message.from, to: recipient }, signal, disableFileAccess: true, disableUrlAccess: true
  })
}

/** A mail in plain words, for functions of the host and for the viewer. */
export const plainMail = ({ to, from, subject, text, html, headers, messageId, date }: MailMessage): OutgoingMail => ({
  to, from: formatSender(from), subject, text, html, headers: { ...headers, 'Message-ID': messageId, Date: date.toUTCString().replace('GMT', '+0000') }
})

const rule = '─'.repeat(72)

/** For the terminal, which would obey control characters. */
function readable ({ to, from, subject, text }: MailMessage): string {
  const lines = [rule, `From: ${formatSender(from)}`, `To: ${to}`, `Subject: ${subject}`, '', text.trimEnd(), rule, '']
  return lines.join('\n').replace(/[^\P{Cc}\n\t]/gu, '')
}

/** The error for the log. A server may quote the mail with its link, or the login; an HTTP client's error has the request in it. */
function explain (thrown: unknown): Error {
  const error: NodemailerError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code, responseCode, response, stack = '' } = error
  const said = code === 'EAUTH' ? error.message.replace(`: ${response}`, '') : error.message
  const harmless = said.replace(/\s+/g, ' ').replace(/\w+:\/\/\S+|[\w+/=-]{20,}|\d{6,}/g, '…').slice(0, 300)
  const known = [code, responseCode].filter(Boolean).join(' ')
  const message = known ? `${known}: ${harmless}` : harmless
  const frames = stack.split('\n').filter(line => /^ +at /.test(line))
  return Object.assign(isForGood(error) ? new RefusedForGood(message) : new Error(message), { code, responseCode, stack: [`Error: ${message}`, ...frames].join('\n') })
}

/** A wrong login or sender is for the app's people to mend, and 503 is about the session, not the mail: such mails wait. */
const isForGood = ({ code, command, responseCode, permanent }: NodemailerError): boolean =>
  responseCode === undefined
    ? permanent === true
    : (code === 'EENVELOPE' || code === 'EMESSAGE') && command !== 'MAIL FROM' && responseCode >= 500 && responseCode !== 503
