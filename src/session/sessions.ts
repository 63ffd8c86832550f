/**
 * A session is opened at login, registration and the confirmation of an address, goes on by its refresh token, and ends
 * at logout, another password, deactivation, reuse of a refresh token or its time.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Db } from '../db/database.js'
import type { SessionRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { hashToken, mintToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import type { Settings } from '../settings/types.js'
import { deleteExpiredRefreshTokens, deleteSessionOfRefreshToken, insertRefreshToken } from '../store/refresh-tokens.js'
import { deleteExpiredSessions, deleteSession, insertSession } from '../store/sessions.js'
import { updateUser } from '../store/users.js'
import type { BaseUser } from '../types.js'
import type { AccessTokens } from './access-tokens.js'
import { customClaims } from './custom-claims.js'
import type { TokenPair, TokenTransport } from './token-transport.js'

export interface IssuedSession {
  row: SessionRow
  /** The refresh token that the session is at. */
  refresh: string
  refreshExpiration: Date
  /** That of the session whose cookies this one takes. */
  replaced?: string | undefined
}

interface SessionsOptions {
  accessTokens: AccessTokens
  tokens: Settings['tokens']
  hooks: Settings['hooks']
  clock: () => Date
  path: string
  tokenTransport: TokenTransport
}

export function createSessions ({ accessTokens, tokens: { access, refresh, claims }, hooks: { loggedIn }, clock, path, tokenTransport }: SessionsOptions) {
  const earlier = (one: Date, other: Date) => one < other ? one : other
  const refreshDigest = (token: string) => hashToken(`${path} ${token}`)

  return {
    /** What is stored of a refresh token: of two registrations on one database, neither knows the other's. */
    refreshDigest,

    /** A session to store, and the refresh token of which only the digest is kept. */
    create (userPk: string, request: FastifyRequest, authenticatedAt = clock()): IssuedSession {
      const now = clock()
      return {
        row: {
          id: uuid(),
          userPk,
          createdAt: now,
          lastSeenAt: now,
          expiresAt: secondsAfter(now, refresh.absolute),
          authenticatedAt,
          // Behind trustProxy it is whatever the header says.
          ip: request.ip.slice(0, 64),
          userAgent: request.headers['user-agent']?.slice(0, 512) ?? null
        },
        refresh: mintToken(),
        refreshExpiration: secondsAfter(now, refresh.idle),
        replaced: tokenTransport.replacedRefreshToken(request)
      }
    },

    /** Whoever logs in anew leaves no session behind that nobody can reach (ASVS 7.2.4). */
    async insert (tx: Db, { row, refresh, refreshExpiration, replaced }: IssuedSession): Promise<void> {
      if (replaced) await deleteSessionOfRefreshToken(tx, refreshDigest(replaced))
      await deleteExpiredSessions(tx, row.userPk, row.createdAt)
      await insertSession(tx, row)
      await insertRefreshToken(tx, {
        digest: refreshDigest(refresh),
        sessionId: row.id,
        createdAt: row.createdAt,
        expiresAt: refreshExpiration
      })
    },

    /** Opens a session for a user who is locked, and notes the login. */
    async logIn (tx: Db, userPk: string, request: FastifyRequest, authenticatedAt?: Date) {
      const session = this.create(userPk, request, authenticatedAt)
      const user = await updateUser(tx, userPk, { lastLogin: session.row.createdAt })
      if (!user) throw failure('invalid_credentials')
      await this.insert(tx, session)
      return { session, user }
    },

    /** Lets the app have its say on a stored session, and sends its tokens: a throw ends it. Answers with the body. */
    async respond (db: Db, session: IssuedSession, user: BaseUser & Record<string, unknown>, request: FastifyRequest, reply: FastifyReply) {
      try {
        await loggedIn?.(user, request)
        return { ...tokenTransport.send(reply, await this.tokens(session, user)), user }
      } catch (error) {
        await deleteSession(db, session.row.id)
        throw error
      }
    },

    /** Puts a session on its next refresh token, which never outlasts it: rotation puts its end off no further (ASVS 7.3.2). */
    async rotateRefreshToken (tx: Db, row: SessionRow, next: string, now: Date): Promise<IssuedSession> {
      const refreshExpiration = earlier(secondsAfter(now, refresh.idle), row.expiresAt)
      await deleteExpiredRefreshTokens(tx, row.id, now)
      await insertRefreshToken(tx, {
        digest: refreshDigest(next),
        sessionId: row.id,
        createdAt: now,
        expiresAt: refreshExpiration
      })
      return { row, refresh: next, refreshExpiration }
    },

    /**
     * What the client gets of a session, at login or (`now`) later; an access token ends with its session at the latest.
     * Throws where `tokens.claims` does, or asks for what can't be had.
     */
    async tokens ({ row, refresh, refreshExpiration }: IssuedSession, user: BaseUser & Record<string, unknown>, now = row.createdAt): Promise<TokenPair> {
      const iat = Math.floor(now.getTime() / 1000)
      const exp = Math.min(iat + access, Math.floor(row.expiresAt.getTime() / 1000))
      return {
        access: accessTokens.sign(
          { sub: row.userPk, sid: row.id, jti: uuid(), iat, exp },
          await customClaims(claims, user)
        ),
        refresh,
        access_expiration: new Date(exp * 1000).toISOString(),
        refresh_expiration: refreshExpiration.toISOString()
      }
    }
  }
}
export type Sessions = ReturnType<typeof createSessions>
