/**
 * The key of `tokens.format: 'opaque'`: a prefix that secret scanners can look for, 256 random bits, and a checksum, so
 * that a mistyped or cut key costs no query. Its digest is stored like that of a refresh token.
 */
import { hashToken, mintToken } from '../lib/secrets.js'

const prefix = 'fra_'
const secretLength = 43
const checksumLength = 6

const checksumOf = (text: string) => hashToken(text).slice(0, checksumLength)

export function mintKey (): string {
  const key = `${prefix}${mintToken()}`
  return `${key}${checksumOf(key)}`
}

/** Whether it has the form of a key and its checksum is right. */
export function isKey (token: string): boolean {
  const end = prefix.length + secretLength
  return token.length === end + checksumLength && token.startsWith(prefix) &&
    token.slice(end) === checksumOf(token.slice(0, end))
}
