/** Strict, because mail libraries are not: to some, `a@b.co, evil@x.y` or a line break adds a second recipient. */

export interface Sender {
  name: string
  address: string
}

const address =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i
// RFC 5322 §3.2.3: these have a meaning outside of quotes.
const specials = /["(),.:;<>@[\\\]]/
const mailbox = /^(?:(?:"((?:[^"\\]|\\.)*)"|([^"(),:;<>@[\\\]]*)) *)<([^<>]*)>$/

/** Whether the text is one address and nothing else. `noreply@localhost` is allowed. */
export const isAddress = (text: string): boolean => text.length <= 254 && address.test(text)

/** Parses `Name <a@b>` or `a@b`. Throws an Error for everything else. */
export function parseSender (from: string): Sender {
  const text = from.trim()
  const [, quoted, plain, inBrackets] = mailbox.exec(text) ?? ['', undefined, '', text]
  const name = (quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '').trim()
  if (inBrackets === undefined || !isAddress(inBrackets) || /\p{Cc}/u.test(text)) {
    throw new Error('must be one address such as noreply@app.example or App <noreply@app.example>')
  }
  return { name, address: inBrackets }
}

export function formatSender ({ name, address }: Sender): string {
  if (name === '') return address
  return `${specials.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name} <${address}>`
}
