/** Sends a mail to its one recipient, within a time limit. Errors are stripped of passwords and the mail's links. */
import type { Transporter } from 'nodemailer'
import { formatSender, isAddress } from '../lib/mail-address.js'
import { refuseOption } from '../lib/refuse-option.js'
import { type MailMessage, PermanentMailError, type MailSender, toOutgoingMail } from './message.js'
import { redactError, openNodemailer, senderOf, timeouts } from './nodemailer.js'

export interface Transport {
  send: (message: MailMessage) => Promise<void>
  /** True if the server accepts a connection and the login; false if the transport has none. Throws its refusal. */
  verify: () => Promise<boolean>
  close: () => Promise<void>
}

const printToStdout = (text: string): void => { process.stdout.write(text) }

/** Opens what the option `mail.transport` names; 'console' prints with `print`. A mail may take `timeoutMs`. */
export async function openTransport (
  option: unknown,
  print = printToStdout,
  timeoutMs = 30_000
): Promise<Transport> {
  const sender = await selectSender(option, print)
  const running = new Set<AbortController>()
  return {
    send: async message => {
      // nodemailer would quote the parts around a comma or line break, and send all to the domain after the last @.
      if (!isAddress(message.to)) throw new PermanentMailError('the recipient is not one address')
      const controller = new AbortController()
      const timedOut = () => controller.abort(new Error(`ETIMEDOUT: not sent within ${timeoutMs / 1000} s`))
      const timer = setTimeout(timedOut, timeoutMs)
      running.add(controller)
      try {
        const sending = sender.send(
          { ...message, subject: message.subject.replace(/[\s\p{Cc}]+/gu, ' ').trim() },
          controller.signal
        )
        await Promise.race([sending, whenAborted(controller.signal)])
      } catch (error) {
        throw controller.signal.aborted ? controller.signal.reason : redactError(error)
      } finally {
        clearTimeout(timer)
        running.delete(controller)
      }
    },
    verify: async () => await sender.verify?.().catch(error => { throw redactError(error) }) ?? false,
    close: async () => {
      for (const controller of running) {
        controller.abort(new Error('ECONNECTION: the server stopped while the mail was being sent'))
      }
      sender.close?.()
    }
  }
}

const whenAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const isSmtpUrl = (option: string) => /^smtps?:\/\/[^\s/?#]+\/?(\?[^\s@#]*)?$/i.test(option) && URL.canParse(option)

async function selectSender (option: unknown, print: (text: string) => void): Promise<MailSender> {
  if (option === 'console') return { send: message => print(toPlainText(message)) }
  if (typeof option === 'function') return { send: async message => await option(toOutgoingMail(message)) }
  if (typeof option === 'string' && isSmtpUrl(option)) return await openNodemailer({ ...timeouts, url: option })
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    return refuseOption(
      "mail.transport: must be 'console', an smtp:// or smtps:// URL (with its password percent-encoded), " +
      "nodemailer's options, transporter or plugin, or a function"
    )
  }
  // The host's transporter stays open: the app may send other mail with it. Only a transporter has `sendMail`.
  if (can('sendMail', option)) return senderOf(option as Transporter)
  return await openNodemailer(can('send', option) ? option : { ...timeouts, ...option })
}

const can = (method: string, object: object) => typeof Reflect.get(object, method) === 'function'

const rule = '─'.repeat(72)

/** For a terminal: without control characters, which it would execute. */
function toPlainText ({ to, from, subject, text }: MailMessage): string {
  const lines = [rule, `From: ${formatSender(from)}`, `To: ${to}`, `Subject: ${subject}`, '', text.trimEnd(), rule, '']
  return lines.join('\n').replace(/[^\P{Cc}\n\t]/gu, '')
}
