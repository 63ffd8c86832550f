/** Sends by nodemailer. Errors are logged without passwords and without the links of the mail. */
import type { NodemailerError, SMTPTransportOptions, Transporter } from 'nodemailer'
import { refuseOption } from '../lib/refuse-option.js'
import { PermanentMailError, type MailSender } from './message.js'

/** A wrong login or sender is for the app's people to mend, and 503 is about the session, not the mail: such mails wait. */
const isForGood = ({ code, command, responseCode, permanent }: NodemailerError): boolean =>
  responseCode === undefined
    ? permanent === true
    : (code === 'EENVELOPE' || code === 'EMESSAGE') &&
      command !== 'MAIL FROM' &&
      responseCode >= 500 &&
      responseCode !== 503

/** The error for the log. A server may quote the mail with its link, or the login; an HTTP client's error has the request in it. */
export function redactError (thrown: unknown): Error {
  const error: NodemailerError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code, responseCode, response, stack = '' } = error
  const said = code === 'EAUTH' ? error.message.replace(`: ${response}`, '') : error.message
  const harmless = said.replace(/\s+/g, ' ').replace(/\w+:\/\/\S+|[\w+/=-]{20,}|\d{6,}/g, '…').slice(0, 300)
  const known = [code, responseCode].filter(Boolean).join(' ')
  const message = known ? `${known}: ${harmless}` : harmless
  const frames = stack.split('\n').filter(line => /^ +at /.test(line))
  return Object.assign(isForGood(error) ? new PermanentMailError(message) : new Error(message), {
    code,
    responseCode,
    stack: [`Error: ${message}`, ...frames].join('\n')
  })
}

/** nodemailer would wait minutes, and hold a process that closes for a dead server's goodbye. The host's own win over these. */
export const timeouts = {
  dnsTimeout: 5000,
  connectionTimeout: 5000,
  greetingTimeout: 5000,
  socketTimeout: 15000,
  socketCloseTimeout: 0
}

async function createOrRefuse (options: object): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  try {
    return createTransport(options)
  } catch (error) {
    return refuseOption(`mail.transport: ${redactError(error).message}`)
  }
}

/** Every address is an object, never a string for nodemailer to parse, and so is the envelope's. */
export const sendWith = (transporter: Transporter): MailSender['send'] => async ({ to, ...message }, signal) => {
  const recipient = { name: '', address: to }
  await transporter.sendMail({
    ...message,
    to: recipient,
    envelope: { from: message.from, to: recipient },
    signal,
    disableFileAccess: true,
    disableUrlAccess: true
  })
}

export async function openNodemailer (options: object): Promise<MailSender> {
  const transporter = await createOrRefuse(options)
  const { name, options: resolved } = transporter.transporter as { name?: string, options?: SMTPTransportOptions }
  // nodemailer would mail to localhost, when an environment variable is not set or a service is misspelt.
  if (name?.startsWith('SMTP') && !resolved?.host) { refuseOption('mail.transport: names no host, and no other way to send that nodemailer knows') }
  return { send: sendWith(transporter), close: () => { transporter.close() } }
}
