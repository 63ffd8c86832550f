/** The mails of an app under test, with what their reader would click or copy. */
import type { Links } from '../settings/links.js'
import type { OutgoingMail } from '../types.js'

export interface TestMail extends OutgoingMail {
  /** The links in the text, in their order. */
  links: string[]
  /**
   * What the plugin's link carries, named as the route takes it: `key` for `POST /registration/verify-email`, `uid` and
   * `token` for `POST /password/reset/confirm`. Empty for a mail without such a link.
   */
  codes: { key?: string, uid?: string, token?: string }
}

// Letters only, so that encoding them in a link changes nothing.
const placeholders = { key: 'keyOfTheLink', uid: 'uidOfTheLink', token: 'tokenOfTheLink' }

/** `all` are the links of the registrations that may have sent it. */
export function toTestMail (mail: OutgoingMail, all: Links[]): TestMail {
  // Of any scheme, for links to native apps; without the punctuation of the sentence around it.
  const links = mail.text.match(/\b[a-z][a-z0-9+.-]*:\/\/[^\s<>"]*[^\s<>"'),.:;!?\]]/gi) ?? []
  const { key, uid, token } = placeholders
  const patterns = all.flatMap(links => [links.emailConfirmation(key), links.passwordReset(uid, token)]).map(patternOf)
  const codes = Object.assign({}, ...links.flatMap(link => patterns.map(pattern => pattern.exec(link)?.groups)))
  for (const name of Object.keys(codes)) codes[name] = decodeURIComponent(codes[name])
  return { ...mail, links, codes }
}

/** Matches the links that are made as this one is, and finds what they have in the places of the placeholders. */
function patternOf (link: string): RegExp {
  let pattern = link.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
  for (const [name, placeholder] of Object.entries(placeholders)) {
    pattern = pattern.replace(placeholder, `(?<${name}>[^/?#&]+)`).replaceAll(placeholder, `\\k<${name}>`)
  }
  return new RegExp(`^${pattern}$`)
}
