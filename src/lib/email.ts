/**
 * One canonical form per mailbox: trimmed, lower case, the domain in punycode. Two addresses are the same
 * account exactly when their canonical forms are equal; the database compares nothing but bytes.
 */
import { domainToASCII } from 'node:url'

const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
// To domainToASCII, which reads URLs, `%61` is a letter, and a line break or what follows a `/` is nothing at all.
const domainName = /^(?:[A-Za-z0-9.-]|(?!\p{Default_Ignorable_Code_Point})[^\0-\x7f])+$/u
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The canonical form, or undefined when it is no address we would mail: quoted local parts, comments, IP
 * literals and single-label domains are refused, and so is whatever NFKC would turn into another address
 * (`ｅvil@…`, the Kelvin sign): CVE-2019-19844.
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

/** Of a canonical form. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)
