/** Issues the tokens of a session: an access token and a refresh token, or one key. */
import { v7 as uuid } from 'uuid'
import type { SessionRow } from '../db/tables.js'
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'
import type { AccessTokens } from './access-tokens.js'
import { authenticationOf } from './authentication-event.js'
import { customClaims } from './custom-claims.js'
import type { IssuedToken } from './issued-tokens.js'

export interface IssuedSession {
  row: SessionRow
  /** The refresh token; with `tokens.format: 'opaque'` the key, which is stored and expires like a refresh token. */
  refresh: string
  refreshExpiration: Date
  /** The refresh token or key of the session whose cookies this one overwrites. */
  replaced?: string | undefined
}

type ClientUser = BaseUser & Record<string, unknown>

export type IssueTokens = (session: IssuedSession, user: ClientUser, now?: Date) => Promise<IssuedToken[]>

/** Without `accessTokens`, a session has a key. */
export function createTokenIssuer (accessTokens: AccessTokens | undefined, tokens: Settings['tokens']): IssueTokens {
  if (!accessTokens) {
    return async ({ row, refresh, refreshExpiration }) =>
      [{ ...namedToken('key', refresh, refreshExpiration), cookieExpiresAt: row.expiresAt }]
  }

  /** The access token never outlives the session. Throws what `tokens.claims` throws, or an Error for its result. */
  return async function issuePair ({ row, refresh, refreshExpiration }, user, now) {
    const iat = Math.floor((now ?? row.createdAt).getTime() / 1000)
    const exp = Math.min(iat + tokens.access, Math.floor(row.expiresAt.getTime() / 1000))
    const own = await customClaims(tokens.claims, user)
    const claims = { sub: row.userPk, sid: row.id, jti: uuid(), iat, exp, ...authenticationClaims(row) }
    const access = accessTokens.sign(claims, own)
    return [
      namedToken('access', access, new Date(exp * 1000)), namedToken('refresh', refresh, refreshExpiration)
    ]
  }
}

/** RFC 9068 §2.2.1. Without `auth_time`, nobody has proved who they are: a link in a mail opened the session. */
function authenticationClaims (row: SessionRow) {
  const { authenticatedAt, amr } = authenticationOf(row)
  const seconds = Math.floor(authenticatedAt.getTime() / 1000)
  return { ...(seconds > 0 && { auth_time: seconds }), ...(amr.length > 0 && { amr: [...amr] }) }
}

const namedToken = (name: IssuedToken['name'], value: string, expiresAt: Date): IssuedToken =>
  ({ name, value, expiresAt })
