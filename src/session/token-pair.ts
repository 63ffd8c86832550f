/** The access and refresh token of a session, as a client gets them. */
import { v7 as uuid } from 'uuid'
import type { SessionRow } from '../db/tables.js'
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'
import type { AccessTokens } from './access-tokens.js'
import { customClaims } from './custom-claims.js'

export interface TokenPair {
  access: string
  refresh: string
  access_expiration: string
  refresh_expiration: string
}

export interface IssuedSession {
  row: SessionRow
  refresh: string
  refreshExpiration: Date
  /** The refresh token of the session whose cookies this one overwrites. */
  replaced?: string | undefined
}

export type ClientUser = BaseUser & Record<string, unknown>

export function createTokenIssuer (accessTokens: AccessTokens, tokens: Settings['tokens']) {
  /** The access token never outlives the session. Throws what `tokens.claims` throws, or an Error for its result. */
  return async function issueTokens (session: IssuedSession, user: ClientUser, now?: Date): Promise<TokenPair> {
    const { row, refresh, refreshExpiration } = session
    const iat = Math.floor((now ?? row.createdAt).getTime() / 1000)
    const exp = Math.min(iat + tokens.access, Math.floor(row.expiresAt.getTime() / 1000))
    const own = await customClaims(tokens.claims, user)
    return {
      access: accessTokens.sign({ sub: row.userPk, sid: row.id, jti: uuid(), iat, exp }, own),
      refresh,
      access_expiration: new Date(exp * 1000).toISOString(),
      refresh_expiration: refreshExpiration.toISOString()
    }
  }
}
