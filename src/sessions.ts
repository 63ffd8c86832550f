/** A session is opened at login and registration, and ends at logout, password change, deactivation or its time. */
import { v7 as uuid } from 'uuid'
import type { FastifyRequest } from 'fastify'
import type { AccessTokens } from './access-tokens.js'
import type { Db } from './db/database.js'
import type { SessionRow } from './db/tables.js'
import { digest, mintToken } from './lib/secrets.js'
import type { Settings } from './settings.js'
import { insertRefreshToken } from './store/refresh-tokens.js'
import { deleteExpiredSessions, deleteSession, insertSession } from './store/sessions.js'

export interface NewSession {
  row: SessionRow
  refresh: string
  refreshExpiration: Date
}

export interface TokenAnswer {
  access: string
  refresh: string
  access_expiration: string
  refresh_expiration: string
}

export function createSessions (accessTokens: AccessTokens, { access, refresh }: Settings['tokens'], clock: () => Date) {
  const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)

  return {
    /** A session to store, and the refresh token of which only the digest is kept. */
    draft (userPk: string, request: FastifyRequest): NewSession {
      const now = clock()
      return {
        row: {
          id: uuid(),
          userPk,
          createdAt: now,
          lastSeenAt: now,
          expiresAt: later(now, refresh.absolute),
          authenticatedAt: now,
          // Behind trustProxy it is whatever the header says.
          ip: request.ip.slice(0, 64),
          userAgent: request.headers['user-agent']?.slice(0, 512) ?? null
        },
        refresh: mintToken(),
        refreshExpiration: later(now, refresh.idle)
      }
    },

    async store (tx: Db, { row, refresh, refreshExpiration }: NewSession): Promise<void> {
      await deleteExpiredSessions(tx, row.userPk, row.createdAt)
      await insertSession(tx, row)
      await insertRefreshToken(tx, { digest: digest(refresh), sessionId: row.id, createdAt: row.createdAt, expiresAt: refreshExpiration })
    },

    /** Lets the app have its say on a stored session: a throw ends it. */
    async confirm (db: Db, { row }: NewSession, say: () => unknown): Promise<void> {
      try {
        await say()
      } catch (error) {
        await deleteSession(db, row.id)
        throw error
      }
    },

    /** What the client gets of a stored session. */
    tokens ({ row, refresh, refreshExpiration }: NewSession): TokenAnswer {
      const iat = Math.floor(row.createdAt.getTime() / 1000)
      const exp = iat + access
      return {
        access: accessTokens.sign({ sub: row.userPk, sid: row.id, jti: uuid(), iat, exp }),
        refresh,
        access_expiration: new Date(exp * 1000).toISOString(),
        refresh_expiration: refreshExpiration.toISOString()
      }
    }
  }
}
export type Sessions = ReturnType<typeof createSessions>
