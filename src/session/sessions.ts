/** A session ends at logout, a password change, deactivation, reuse of a refresh token, or when its time is up. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { AnswerCode } from '../../schemas/errors.js'
import type { UserRecords } from '../account/user-records.js'
import type { Database, Db } from '../db/database.js'
import type { UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { secondsAfter } from '../lib/time.js'
import type { Settings } from '../settings/types.js'
import { deleteSessionOfRefreshToken } from '../store/refresh-tokens.js'
import { deleteExpiredSessions, deleteSession, insertSession } from '../store/sessions.js'
import { recordLogin, updateUser } from '../store/users.js'
import type { AccessTokens } from './access-tokens.js'
import { clientOf } from './client.js'
import { mintRefreshToken } from './refresh-token.js'
import { isKey, mintKey } from './session-key.js'
import { createTokenChain } from './token-chain.js'
import { createTokenIssuer, type IssuedSession } from './token-issuer.js'
import type { TokenTransport } from './token-transport.js'

interface LoggedIn {
  session: IssuedSession
  user: UserRow
}

interface LoginOptions {
  orElse: AnswerCode
  authenticatedAt?: Date
  /** A new hash of the same password. */
  passwordHash?: string | undefined
}

interface SessionsOptions {
  /** Undefined: a session has a key. */
  accessTokens: AccessTokens | undefined
  tokens: Settings['tokens']
  hooks: Settings['hooks']
  clock: () => Date
  path: string
  tokenTransport: TokenTransport
  userRecords: UserRecords
}

/** Creates, continues and answers with sessions; the functions that take a `tx` belong in the caller's transaction. */
export function createSessions (options: SessionsOptions) {
  const { accessTokens, tokens, hooks, clock, path, tokenTransport, userRecords } = options
  const issueTokens = createTokenIssuer(accessTokens, tokens)
  const mint = accessTokens ? mintRefreshToken : mintKey
  const begun = new WeakMap<FastifyRequest, string>()

  const chain = createTokenChain(tokens, path)

  /** A session to insert, and its refresh token, of which only the digest is stored. */
  function create (userPk: string, request: FastifyRequest, authenticatedAt = clock()): IssuedSession {
    const now = clock()
    return {
      row: {
        id: uuid(),
        userPk,
        createdAt: now,
        lastSeenAt: now,
        expiresAt: secondsAfter(now, tokens.refresh.absolute),
        authenticatedAt,
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
    await chain.insertCurrentToken(tx, session, row.createdAt)
  }

  /** Logs in a user whose row the caller has locked. */
  async function logIn (tx: Db, userPk: string, request: FastifyRequest, authenticatedAt?: Date): Promise<LoggedIn> {
    const session = create(userPk, request, authenticatedAt)
    const user = await updateUser(tx, userPk, { lastLogin: session.row.createdAt })
    if (!user) throw failure('invalid_credentials')
    await insert(tx, session)
    return { session, user }
  }

  /** Logs in a user who was read earlier; throws `orElse` if they were deactivated or got a new password since. */
  async function logInIfUnchanged (
    db: Database, earlier: UserRow, request: FastifyRequest, { orElse, authenticatedAt, passwordHash }: LoginOptions
  ): Promise<LoggedIn> {
    const session = create(earlier.pk, request, authenticatedAt)
    return await db.transaction(async tx => {
      const changes = { lastLogin: session.row.createdAt, ...(passwordHash !== undefined && { passwordHash }) }
      const user = await recordLogin(tx, earlier, changes)
      if (!user) throw failure(orElse)
      await insert(tx, session)
      return { session, user }
    })
  }

  /** Then a cookie of another domain or path stays beside ours, unless we delete it; browsers delete expired ones. */
  const hasValidToken = (request: FastifyRequest) =>
    tokenTransport.presentedTokens(request, {}).some(token =>
      accessTokens ? clock().getTime() / 1000 < (accessTokens.read(token)?.exp ?? 0) : isKey(token))

  /** Runs the `loggedIn` hook, then `view`, then sends the tokens. If one of them fails, the stored session ends. */
  async function start<T> (
    db: Db, { session, user: row }: LoggedIn, request: FastifyRequest, reply: FastifyReply,
    view: (row: UserRow) => Promise<T>
  ) {
    begun.set(request, session.row.id)
    try {
      const user = userRecords.toUser(row)
      await hooks.loggedIn?.(user, request)
      const shown = await view(row)
      if (hasValidToken(request)) tokenTransport.clearOtherScopes(request, reply, 1)
      return { tokens: tokenTransport.send(reply, await issueTokens(session, user)), shown }
    } catch (error) {
      await endUnanswered(db, request)
      throw error
    }
  }

  /** Starts the session of a user, and returns the body of the response: the tokens and the user. */
  async function respond (db: Db, loggedIn: LoggedIn, request: FastifyRequest, reply: FastifyReply) {
    const { tokens, shown: user } = await start(db, loggedIn, request, reply, userRecords.toAnswer)
    return { ...tokens, user }
  }

  /** Starts the session for a page or a redirect, which shows no user: the tokens are in cookies. */
  async function startWithoutBody (
    db: Db, loggedIn: LoggedIn, request: FastifyRequest, reply: FastifyReply
  ): Promise<void> {
    await start(db, loggedIn, request, reply, async () => {})
  }

  /** Ends the session that a failed request has begun, and whose tokens reached nobody. */
  async function endUnanswered (db: Db, request: FastifyRequest): Promise<void> {
    const id = begun.get(request)
    if (id !== undefined) await deleteSession(db, id)
  }

  return { create, insert, logIn, logInIfUnchanged, respond, startWithoutBody, endUnanswered, issueTokens, ...chain }
}
export type Sessions = ReturnType<typeof createSessions>
