/** Sends with nodemailer. What it throws is stripped of passwords and of the mail's links before it is logged. */
import type { NodemailerError, SMTPTransportOptions, Transporter } from 'nodemailer'
import { refuseOption } from '../lib/refuse-option.js'
import { PermanentMailError, type MailSender } from './message.js'

/** Not for a rejected login or sender, which the operator can correct, nor for 503, which concerns the SMTP session. */
const isPermanent = ({ code, command, responseCode, permanent }: NodemailerError): boolean =>
  responseCode === undefined
    ? permanent === true
    : (code === 'EENVELOPE' || code === 'EMESSAGE') &&
      command !== 'MAIL FROM' &&
      responseCode >= 500 &&
      responseCode !== 503

/** The error for the log: a mail server may quote the mail with its link, or the login; an HTTP error, the request. */
export function redactError (thrown: unknown): Error {
  const error: NodemailerError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code, responseCode, response, stack = '' } = error
  const raw = code === 'EAUTH' ? error.message.replace(`: ${response}`, '') : error.message
  const harmless = raw.replace(/\s+/g, ' ').replace(/\w+:\/\/\S+|[\w+/=-]{20,}|\d{6,}/g, '…').slice(0, 300)
  const known = [code, responseCode].filter(Boolean).join(' ')
  const message = known ? `${known}: ${harmless}` : harmless
  const frames = stack.split('\n').filter(line => /^ +at /.test(line))
  return Object.assign(isPermanent(error) ? new PermanentMailError(message) : new Error(message), {
    code,
    responseCode,
    stack: [`Error: ${message}`, ...frames].join('\n')
  })
}

/** Milliseconds. By default nodemailer waits minutes, and a closing process for a dead server's reply to QUIT. */
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

/** Passes every address as an object, in the envelope too: nodemailer would parse a string, and may misread it. */
const sendWith = (transporter: Transporter): MailSender['send'] => async ({ to, ...message }, signal) => {
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

/** Sends with a transporter, which stays open. */
export const senderOf = (transporter: Transporter): MailSender => ({
  send: sendWith(transporter),
  // The app's object may be one that only sends. nodemailer returns false for a transport that it can't verify.
  verify: async () => 'verify' in transporter && await transporter.verify()
})

/** Opens a transporter for nodemailer's options or plugin; throws an option error if there is nothing to send to. */
export async function openNodemailer (options: object): Promise<MailSender> {
  const transporter = await createOrRefuse(options)
  // nodemailer does not type what its transports have in common; only SMTP transports have a name that starts so.
  const { name, options: resolved } = transporter.transporter as { name?: string, options?: SMTPTransportOptions }
  // With an unset environment variable or a misspelt service, nodemailer would send to localhost.
  if (name?.startsWith('SMTP') && !resolved?.host) {
    refuseOption('mail.transport: has no host, and no other way to send that nodemailer knows')
  }
  return { ...senderOf(transporter), close: () => { transporter.close() } }
}
