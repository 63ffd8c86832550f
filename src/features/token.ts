/**
 * A session goes on by its refresh token, which is good once: each use answers with the next one. A second use means
 * that two hold it, so the session ends for both (RFC 9700 §4.14.2).
 *
 *   POST /token/refresh   the next tokens, or 401
 *   POST /token/verify    whether an access or a refresh token is good, not why it isn't
 *
 * The next token is derived from the one before. So two tabs, or a client that lost the answer, get the same one
 * again, though nothing but digests is stored.
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { Db } from '../db/database.js'
import type { SessionRow } from '../db/tables.js'
import { Failure } from '../errors/failure.js'
import { createTokenDeriver } from '../lib/secrets.js'
import type { IssuedSession } from '../session/sessions.js'
import { findRefreshToken, findUnspentToken, spendRefreshToken, type OwnedToken } from '../store/refresh-tokens.js'
import { continueSession, deleteSession, findUserAndSession } from '../store/sessions.js'

const notValid = (message = 'Token is invalid') => new Failure('token_not_valid', { message, tokenIn: 'body' })
const expired = () => new Failure('token_expired', { tokenIn: 'body' })

export const token: Feature = (
  app,
  { settings, contract, db, clock, userRecords, accessTokens, sessions, tokenTransport, outbox }
) => {
  const { refreshDigest } = sessions
  const grace = settings.tokens.refreshGrace * 1000
  // The first makes the next token; the others are for one that was made before the secret changed.
  const derivers = settings.secrets.map(secret => createTokenDeriver(secret, 'refresh tokens'))

  app.post('/token/refresh', { schema: contract.refreshToken }, async (request, reply) => {
    const refresh = tokenTransport.readRefreshToken(request, request.body)
    if (refresh === undefined) throw notValid('No valid refresh token found.')
    const found = await findRefreshToken(db, refreshDigest(refresh))
    if (!found) throw notValid()
    if (isExpired(found)) throw expired()
    const next = await db.transaction(async tx => await rotate(tx, found, refresh))
    if (!next) return refuseReuse(request, found.session)
    return tokenTransport.send(reply, await sessions.tokens(next, userRecords.toUser(found.user), clock()))
  })

  app.post('/token/verify', { schema: contract.verifyToken }, async request => {
    const { token } = request.body
    // A JWT has dots, a refresh token none.
    const isGood = await (token.includes('.') ? isGoodAccess(token) : isGoodRefresh(token))
    if (!isGood) throw notValid()
    return {}
  })

  /** The session on its next token; undefined when the token was used before, and the session is ended. */
  async function rotate (
    tx: Db,
    { token, session: { id } }: OwnedToken,
    refresh: string
  ): Promise<IssuedSession | undefined> {
    const now = clock()
    // The lock comes first: what ends the session meanwhile either is done, or waits and takes the next token along.
    const row = await continueSession(tx, id, now)
    if (!row) throw notValid()
    const possibleSuccessors = derivers.map(derive => derive(refresh))
    const [next = ''] = possibleSuccessors
    if (await spendRefreshToken(tx, token.digest, now)) return await sessions.rotateRefreshToken(tx, row, next, now)
    return (
      (await replayWithinGrace(tx, row, token.digest, possibleSuccessors, now)) ?? (await endSessionOnReuse(tx, row))
    )
  }

  /** The same answer again, where that is no theft. */
  async function replayWithinGrace (
    tx: Db,
    row: SessionRow,
    parent: string,
    candidates: string[],
    now: Date
  ): Promise<IssuedSession | undefined> {
    const spentAt = (await findRefreshToken(tx, parent))?.token.spentAt
    if (!spentAt || grace === 0 || now.getTime() - spentAt.getTime() > grace) return undefined
    const child = await findUnspentToken(tx, row.id, candidates.map(refreshDigest), now)
    const refresh = candidates.find(candidate => refreshDigest(candidate) === child?.digest)
    return child && refresh ? { row, refresh, refreshExpiration: child.expiresAt } : undefined
  }

  async function endSessionOnReuse (tx: Db, { id, userPk }: SessionRow): Promise<undefined> {
    await deleteSession(tx, id)
    await outbox.enqueue(tx, 'token-reuse', { userPk })
  }

  function refuseReuse (request: FastifyRequest, { id, userPk }: SessionRow): never {
    outbox.wake()
    request.log.error(
      { event: 'token_reuse', sessionId: id, userPk },
      'a refresh token was used again: its session has ended'
    )
    throw notValid()
  }

  const isExpired = ({ token, session }: OwnedToken) => token.expiresAt <= clock() || session.expiresAt <= clock()

  /** As refresh would have it: whoever holds a copy must not learn here that its owner has just used it. */
  async function isGoodRefresh (refresh: string): Promise<boolean> {
    const found = await findRefreshToken(db, refreshDigest(refresh))
    if (!found || isExpired(found) || !found.user.isActive) return false
    const { token, session } = found
    return (
      !token.spentAt ||
      (await replayWithinGrace(
        db,
        session,
        token.digest,
        derivers.map(derive => derive(refresh)),
        clock()
      )) !== undefined
    )
  }

  async function isGoodAccess (access: string): Promise<boolean> {
    const claims = readAccess(access)
    const found = claims && (await findUserAndSession(db, claims.sub, claims.sid))
    return found?.session != null && found.session.expiresAt > clock() && found.user.isActive
  }

  function readAccess (access: string) {
    try {
      return accessTokens.verify(access, clock())
    } catch {
      return undefined
    }
  }
}
