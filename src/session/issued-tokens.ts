/** Tokens as a client gets them. */

export type TokenName = 'access' | 'refresh' | 'key'

export interface IssuedToken {
  name: TokenName
  value: string
  expiresAt: Date
  /** When its cookie expires, if later: the use of a key prolongs the key, but sets no cookie. */
  cookieExpiresAt?: Date
}

/** The tokens of a response body, and when they expire. */
export type TokenBody = { [Name in TokenName | `${TokenName}_expiration`]?: string }

/** The body that tells the expiration of each token, and the values of those that `isShown`. */
export function bodyOf (tokens: IssuedToken[], isShown: (token: IssuedToken) => boolean = () => true): TokenBody {
  const body: TokenBody = {}
  for (const token of tokens) {
    if (isShown(token)) body[token.name] = token.value
    body[`${token.name}_expiration`] = token.expiresAt.toISOString()
  }
  return body
}
