/**
 * A refresh token names its family, so that one of any age is recognised although only the last two are stored:
 *
 *   family (16 characters)   the same in all tokens of a session
 *   secret (23)              another in each; 138 bits, more than RFC 6749 §10.10 requires
 *   checksum (4)             so that a token cut or altered on its way is not taken for an earlier one
 *
 * A request with a known family and another secret comes from somebody who had an earlier token of the session, and the
 * use of an earlier token ends the session. So the checksum needs no key.
 */
import { hashToken, mintToken } from '../lib/secrets.js'
import type { RefreshTokenKeys } from '../store/refresh-tokens.js'

const [familyLength, secretLength, checksumLength] = [16, 23, 4]

const compose = (family: string, secret: string): string => `${family}${secret}${checksumOf(family + secret)}`
const checksumOf = (text: string) => hashToken(text).slice(0, checksumLength)

/** The first refresh token of a new family. */
export const mintRefreshToken = (): string =>
  compose(mintToken().slice(0, familyLength), mintToken().slice(0, secretLength))

/** Undefined for a token of before there were families, and for anything else that is not one of ours. */
function familyOf (token: string): string | undefined {
  const end = familyLength + secretLength
  const isOurs = token.length === end + checksumLength && token.slice(end) === checksumOf(token.slice(0, end))
  return isOurs ? token.slice(0, familyLength) : undefined
}

/** The next token of the family; a token of before there were families begins one. */
export function successorOf (token: string, derive: (...words: string[]) => string): string {
  const family = familyOf(token) ?? derive('family', token).slice(0, familyLength)
  return compose(family, derive(token).slice(0, secretLength))
}

/** Gives what is stored of a refresh token. The path keeps two registrations on one database apart. */
export const createRefreshKeys = (path: string) => function refreshKeys (token: string): RefreshTokenKeys {
  const family = familyOf(token)
  return { digest: hashToken(`${path} ${token}`), family: family === undefined ? null : hashToken(`${path} ${family}`) }
}
