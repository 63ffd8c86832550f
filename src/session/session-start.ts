/** Starts a session that is stored: runs the app's hook and sends the tokens. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserRecords } from '../account/user-records.js'
import type { Db } from '../db/database.js'
import type { UserRow } from '../db/tables.js'
import type { Settings } from '../settings/types.js'
import { deleteSession } from '../store/sessions.js'
import type { AccessTokens } from './access-tokens.js'
import { isKey } from './session-key.js'
import type { IssuedSession, IssueTokens } from './token-issuer.js'
import type { TokenTransport } from './token-transport.js'

export interface LoggedIn {
  session: IssuedSession
  user: UserRow
}

interface SessionStartOptions {
  /** Undefined: a session has a key. */
  accessTokens: AccessTokens | undefined
  settings: Pick<Settings, 'hooks'>
  clock: () => Date
  tokenTransport: TokenTransport
  userRecords: UserRecords
  issueTokens: IssueTokens
}

export function createSessionStart (
  { accessTokens, settings: { hooks }, clock, tokenTransport, userRecords, issueTokens }: SessionStartOptions
) {
  const begun = new WeakMap<FastifyRequest, string>()

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

  return { respond, startWithoutBody, endUnanswered }
}
