/** One canonical form per mailbox: trimmed, lower case, punycode. So a database need only compare bytes. */
import { domainToASCII } from 'node:url'

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
    labels.every(part => label.test(part)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  return valid && local.length + domain.length < 254 ? `${local}@${domain}` : undefined
}

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)
