/**
 * How a mail leaves the process: printed, given to a function of the host, or sent by nodemailer. It goes to one
 * recipient, in limited time. What went wrong is told without passwords and without the mail's links.
 */
import type { Transporter } from 'nodemailer'
import { formatSender, isAddress } from '../lib/mail-address.js'
import { refuseOption } from '../lib/refuse-option.js'
import { type MailMessage, PermanentMailError, type MailSender, toOutgoingMail } from './message.js'
import { redactError, openNodemailer, sendWith, timeouts } from './nodemailer.js'

export interface Transport {
  send: (message: MailMessage) => Promise<void>
  close: () => Promise<void>
}

/** Opens what `mail.transport` names. `print` hears what 'console' prints; a mail may take `limit` milliseconds. */
export async function openTransport (option: unknown, print: (text: string) => void = text => { process.stdout.write(text) }, limit = 30_000): Promise<Transport> {
  const way = await selectSender(option, print)
  const running = new Set<AbortController>()
  return {
    send: async message => {
      // nodemailer would quote what is around a comma or a line break, and send it to the domain after the last @.
      if (!isAddress(message.to)) throw new PermanentMailError('the recipient is not one address')
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(new Error(`ETIMEDOUT: not sent within ${limit / 1000} s`)), limit)
      running.add(controller)
      try {
        const sending = way.send(
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
    close: async () => {
      for (const controller of running) { controller.abort(new Error('ECONNECTION: the server stopped while the mail was being sent')) }
      way.close?.()
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
      "mail.transport: must be 'console', an smtp:// or smtps:// URL (with its password percent-encoded), nodemailer's options, transporter or plugin, or a function"
    )
  }
  // The host's own: it may send other mail of the app, and is not ours to close.
  if (can('sendMail', option)) return { send: sendWith(option as Transporter) }
  return await openNodemailer(can('send', option) ? option : { ...timeouts, ...option })
}

const can = (method: string, object: object) => typeof (object as Record<string, unknown>)[method] === 'function'

const rule = '─'.repeat(72)

/** For the terminal, which would obey control characters. */
function toPlainText ({ to, from, subject, text }: MailMessage): string {
  const lines = [rule, `From: ${formatSender(from)}`, `To: ${to}`, `Subject: ${subject}`, '', text.trimEnd(), rule, '']
  return lines.join('\n').replace(/[^\P{Cc}\n\t]/gu, '')
}
