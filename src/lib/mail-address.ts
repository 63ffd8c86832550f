/**
 * Addresses as they stand in a mail: what the `mail.from` option says, and what goes into a From line. Strict,
 * because mail libraries are not: `a@b.co, evil@x.y` or a line break is a second recipient to one of them.
 */
import { refuseOption } from './refuse-option.js'

export interface Sender {
  name: string
  address: string
}

const address =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i
// RFC 5322 §3.2.3: outside of quotes these mean something.
const specials = /["(),.:;<>@[\\\]]/
const mailbox = /^(?:(?:"((?:[^"\\]|\\.)*)"|([^"(),:;<>@[\\\]]*)) *)<([^<>]*)>$/

/** One address and nothing else; `noreply@localhost` is one. */
export const isAddress = (text: string): boolean => text.length <= 254 && address.test(text)

/** `Name <a@b>` or `a@b`; refuses others. */
export function parseSender (from: string): Sender {
  const text = from.trim()
  const [, quoted, plain, inBrackets] = mailbox.exec(text) ?? ['', undefined, '', text]
  const name = (quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '').trim()
  if (!isAddress(inBrackets ?? '') || /\p{Cc}/u.test(text)) { refuseOption('mail.from: must be one address such as noreply@app.example or App <noreply@app.example>') }
  return { name, address: inBrackets ?? '' }
}

/** The From line, for those who take a string. */
export function formatSender ({ name, address }: Sender): string {
  if (name === '') return address
  return `${specials.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name} <${address}>`
}
