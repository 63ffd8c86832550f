/** A session ends at logout, a password change, deactivation, reuse of a refresh token, or when its time is up. */
import type { FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { AnswerCode } from '../../schemas/errors.js'
import type { EventDetails } from '../../schemas/events.js'
import type { UserRecords } from '../account/user-records.js'
import type { Database, Db } from '../db/database.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { clientOf } from '../lib/client.js'
import { secondsAfter } from '../lib/time.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteExpiredSessions, deleteOldestSessions, insertSession } from '../store/sessions.js'
import { recordLogin, updateUser } from '../store/users.js'
import { createLoginRecord, type LoginRecordOptions } from './login-record.js'
import type { AccessTokens } from './access-tokens.js'
import { storedAmr, type AuthenticationEvent } from './authentication-event.js'
import { mintRefreshToken } from './refresh-token.js'
import { mintKey } from './session-key.js'
import { createSessionStart, type LoggedIn } from './session-start.js'
import { createTokenChain } from './token-chain.js'
import { createTokenIssuer, type IssuedSession } from './token-issuer.js'

interface LoginOptions extends AuthenticationEvent {
  orElse: AnswerCode
  /** A new hash of the same password. */
  passwordHash?: string | undefined
}

interface SessionsOptions extends LoginRecordOptions {
  /** Undefined: a session has a key. */
  accessTokens: AccessTokens | undefined
  path: string
  userRecords: UserRecords
}

/** Stores and continues sessions; the functions that take a `tx` belong in the caller's transaction. */
export function createSessions (options: SessionsOptions) {
  const { settings, accessTokens, clock, path, tokenTransport } = options
  const { account: { emailVerification }, sessions: { max }, tokens } = settings
  const issueTokens = createTokenIssuer(accessTokens, tokens)
  const mint = accessTokens ? mintRefreshToken : mintKey
  const chain = createTokenChain(tokens, path)
  const recordLoginEvent = createLoginRecord(options)

  /** A session to insert, and its refresh token, of which only the digest is stored. */
  function create (userPk: string, request: FastifyRequest, authentication: AuthenticationEvent): IssuedSession {
    const now = clock()
    const { authenticatedAt = now, amr = [] } = authentication
    return {
      row: {
        id: uuid(),
        userPk,
        createdAt: now,
        lastSeenAt: now,
        expiresAt: secondsAfter(now, tokens.refresh.absolute),
        authenticatedAt,
        amr: storedAmr(amr),
        graceUsesByOthers: null,
        ...clientOf(request)
      },
      refresh: mint(),
      refreshExpiration: secondsAfter(now, tokens.refresh.idle),
      replaced: tokenTransport.replacedToken(request)
    }
  }

  /** Stores a session. Ends the one it replaces in this browser, which nobody could reach any more (ASVS 7.2.4). */
  async function insert (tx: Db, session: IssuedSession): Promise<void> {
    const { row, replaced } = session
    if (replaced) await deleteSessionOfRefreshToken(tx, chain.refreshKeys(replaced))
    await deleteExpiredSessions(tx, row.userPk, row.createdAt)
    await insertSession(tx, row)
    await deleteOldestSessions(tx, row, max)
    await chain.insertCurrentToken(tx, session, row.createdAt)
  }

  /** Stores the session of a login, records the event, and mails the user if the device is new. */
  async function insertLogin (
    tx: Db, session: IssuedSession, request: FastifyRequest, details?: EventDetails
  ): Promise<void> {
    await insert(tx, session)
    await recordLoginEvent(tx, session.row, request, details)
  }

  /** The rule for every login, however the user proved who they are: no way to log in may be weaker than another. */
  function admit (user: UserRow): void {
    if (!user.isActive) throw failure('user_inactive')
    if (emailVerification === 'mandatory' && !user.emailVerified) throw failure('email_not_verified')
  }

  /** Logs in a user whose row the caller has locked. */
  async function logIn (
    tx: Db, userPk: string, request: FastifyRequest, details: EventDetails
  ): Promise<LoggedIn> {
    const session = create(userPk, request, {})
    const user = await updateUser(tx, userPk, { lastLogin: session.row.createdAt })
    if (!user) throw failure('invalid_credentials')
    admit(user)
    await insertLogin(tx, session, request, details)
    return { session, user }
  }

  /** Gives a user who is logged in another session, with other tokens. */
  async function replace (
    tx: Db, user: UserRow, request: FastifyRequest, authentication: AuthenticationEvent
  ): Promise<LoggedIn> {
    const session = create(user.pk, request, authentication)
    await insert(tx, session)
    return { session, user }
  }

  /** Logs in a user who was read earlier; throws `orElse` if they were deactivated or got a new password since. */
  async function logInIfUnchanged (
    db: Database, earlier: UserRow, request: FastifyRequest, { orElse, passwordHash, ...authentication }: LoginOptions
  ): Promise<LoggedIn> {
    const session = create(earlier.pk, request, authentication)
    return await db.transaction(async tx => {
      const changes = { lastLogin: session.row.createdAt, ...(passwordHash !== undefined && { passwordHash }) }
      const user = await recordLogin(tx, earlier, changes)
      if (!user) throw failure(orElse)
      admit(user)
      await insertLogin(tx, session, request)
      return { session, user }
    })
  }

  const begin = createSessionStart({ ...options, issueTokens })

  return { create, insertLogin, logIn, replace, logInIfUnchanged, issueTokens, ...begin, ...chain }
}
export type Sessions = ReturnType<typeof createSessions>
