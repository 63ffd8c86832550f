/** One canonical form per mailbox: trimmed, lower case, punycode. So a database need only compare bytes. */
import { domainToASCII, domainToUnicode } from 'node:url'

const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
// domainToASCII parses URLs: it decodes `%61`, and drops line breaks and everything after a `/`.
const domainName = /^(?:[A-Za-z0-9.-]|(?!\p{Default_Ignorable_Code_Point})[^\0-\x7f])+$/u
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The canonical form, or undefined for an address that can't or should not receive mail: quoted local parts, comments,
 * IP literals and single-label domains are rejected. So are addresses that NFKC would turn into another one (`ｅvil@…`,
 * the Kelvin sign), because they could receive a mail meant for that other address (CVE-2019-19844).
 */
export function canonicalEmail (address: string): string | undefined {
  const text = address.trim()
  if (text.length > 254 || text.normalize('NFKC') !== text) return undefined
  const at = text.lastIndexOf('@')
  const local = text.slice(0, at).toLowerCase()
  if (at < 1 || local.length > 64 || !localPart.test(local) || !domainName.test(text.slice(at + 1))) return undefined
  const domain = domainToASCII(text.slice(at + 1))
  const labels = domain.split('.')
  const valid =
    labels.length > 1 &&
    domain.length <= 253 &&
    labels.every(part => label.test(part) && (!part.startsWith('xn--') || isPunycode(part))) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  return valid && local.length + domain.length < 254 ? `${local}@${domain}` : undefined
}

// By blocks: JavaScript has no property for the direction of a character.
const rightToLeft = '\\u0590-\\u08FF\\uFB1D-\\uFDFF\\uFE70-\\uFEFF\\u{10800}-\\u{10FFF}\\u{1E800}-\\u{1EFFF}'
const hasRightToLeft = new RegExp(`[${rightToLeft}]`, 'u')
// The alternatives exclude each other, or the time to match would grow exponentially.
const isOneDirection =
  new RegExp(`^(?=[${rightToLeft}])\\p{L}(?:[${rightToLeft}]|(?![${rightToLeft}])\\P{L})*$`, 'u')

/**
 * Whether a label that starts with `xn--` stands for one that is valid (RFC 5891 §5.4). Node 24 no longer looks inside
 * a label of ASCII; encoded again, what it stands for is checked by every version. Before, none checked directions
 * (RFC 5893 §2).
 */
function isPunycode (label: string): boolean {
  const decoded = domainToUnicode(label)
  return /[^\0-\x7f]/.test(decoded) && domainToASCII(decoded) === label &&
    (!hasRightToLeft.test(decoded) || isOneDirection.test(decoded))
}

/** The canonical form of a stored address, or the stored text, if it is not a valid address. */
export const canonicalOrStored = (address: string): string => canonicalEmail(address) ?? address

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)
