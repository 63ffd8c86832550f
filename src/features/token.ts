/**
 * Exchanges refresh tokens. Each is valid once, and its exchange returns the next one. If one is used twice, two
 * parties have it, so the session ends for both (RFC 9700 §4.14.2). Without `tokens.refresh.rotate` it stays the same.
 *
 *   POST /token/refresh   returns the next tokens, or 401
 *   POST /token/verify    whether an access or refresh token is valid, but not why it is invalid
 *
 * The next token is derived from the one before. So two tabs can get the same one again for a few seconds
 * (`tokens.refreshGrace`), although only digests are stored.
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { Db } from '../db/database.js'
import type { SessionRow } from '../db/tables.js'
import { Failure } from '../errors/failure.js'
import { createTokenDeriver } from '../lib/secrets.js'
import { clientKeyOf, describeClient } from '../lib/client.js'
import { staleAt } from '../session/last-seen.js'
import { successorOf } from '../session/refresh-token.js'
import { isKey } from '../session/session-key.js'
import type { IssuedSession } from '../session/token-issuer.js'
import {
  findLastOfFamily, findRefreshToken, findUnspentToken, spendRefreshToken, type OwnedToken
} from '../store/refresh-tokens.js'
import { continueSession, countGraceUse, deleteSession, findUserAndSession } from '../store/sessions.js'

export const token: Feature = (app, context) => {
  const { settings, contract, db, clock, events, limits, userRecords, accessTokens, sessions, tokenTransport, outbox } =
    context
  if (!accessTokens) return
  const { refreshKeys } = sessions
  const { rotate: rotates } = settings.tokens.refresh
  const graceMs = settings.tokens.refreshGrace * 1000
  // The first secret derives the next token; the others recognise one that was derived before the secrets changed.
  const derivers = settings.secrets.map(secret => createTokenDeriver(secret, 'refresh tokens'))

  app.post('/token/refresh', { schema: contract.refreshToken }, async (request, reply) => {
    const refresh = tokenTransport.readRefreshToken(request, request.body)
    if (refresh === undefined) throw notValid('No valid refresh token found.')
    const found = await findOwner(refresh)
    if (!found) throw await missed('tokenRefresh', request)
    if (isExpired(found)) throw expired()
    const next = await db.transaction(async tx => await rotate(tx, found, refresh, request))
    if (!next) throw notValid()
    return tokenTransport.send(reply, await sessions.issueTokens(next, userRecords.toUser(found.user), clock()))
  })

  app.post('/token/verify', { schema: contract.verifyToken }, async request => {
    const { token } = request.body
    // A JWT contains dots, a refresh token does not.
    const isValid = await (token.includes('.') ? isValidAccessToken(token) : isValidRefreshToken(token))
    if (!isValid) throw await missed('tokenVerify', request)
    return {}
  })

  async function missed (action: 'tokenRefresh' | 'tokenVerify', request: FastifyRequest): Promise<Failure> {
    await limits.count(action, request)
    return notValid()
  }

  /** Earlier tokens than the last two are no longer stored: there, the family's last token tells the session. */
  async function findOwner (refresh: string): Promise<OwnedToken | undefined> {
    if (isKey(refresh)) return undefined
    const { digest, family } = refreshKeys(refresh)
    return await findRefreshToken(db, digest) ?? (family === null ? undefined : await findLastOfFamily(db, family))
  }

  /** The session with its next token. Undefined if the token was used before: then the session has ended. */
  async function rotate (
    tx: Db, owned: OwnedToken, refresh: string, request: FastifyRequest
  ): Promise<IssuedSession | undefined> {
    const now = clock()
    const client = clientKeyOf(request)
    // Locks the session first: a request that ends it is either done, or waits and deletes the next token, too.
    const row = await continueSession(tx, owned.session.id, { now, staleAt: staleAt(now) })
    if (!row) throw notValid()
    const possibleSuccessors = successorsOf(refresh)
    const [next = ''] = possibleSuccessors
    const digest = digestOf(refresh)
    const kept = rotates ? undefined : await sessions.keepToken(tx, row, refresh, now)
    if (kept) return kept
    if (await spendRefreshToken(tx, { digest, spentBy: client, now })) {
      return await sessions.storeSuccessor(tx, row, { spent: digest, next }, now)
    }
    const replayed = await replayWithinGrace(tx, row, digest, possibleSuccessors, now)
    // Not thrown here: an error would roll the end of the session back.
    if (!replayed) return await endSessionOnReuse(tx, row, request)
    if (replayed.spentBy !== null && replayed.spentBy !== client) await recordGraceUse(tx, row, request)
    return replayed
  }

  const digestOf = (refresh: string) => refreshKeys(refresh).digest
  const successorsOf = (refresh: string) => derivers.map(derive => successorOf(refresh, derive))

  /** The successor that an earlier exchange returned, if it was a moment ago and the successor is still unused. */
  async function replayWithinGrace (
    tx: Db,
    row: SessionRow,
    spentDigest: string,
    possibleSuccessors: string[],
    now: Date
  ): Promise<IssuedSession & { spentBy: string | null } | undefined> {
    const { spentAt, spentBy = null } = (await findRefreshToken(tx, spentDigest))?.token ?? {}
    // A clock that was set back must not make a token usable again: a negative age counts like one beyond the grace.
    const ageMs = spentAt ? now.getTime() - spentAt.getTime() : Infinity
    if (graceMs === 0 || ageMs < 0 || ageMs > graceMs) return undefined
    const successor = await findUnspentToken(tx, row.id, possibleSuccessors.map(digestOf), now)
    const refresh = possibleSuccessors.find(possible => digestOf(possible) === successor?.digest)
    return successor && refresh ? { row, refresh, refreshExpiration: successor.expiresAt, spentBy } : undefined
  }

  async function endSessionOnReuse (tx: Db, { id, userPk }: SessionRow, request: FastifyRequest): Promise<undefined> {
    await deleteSession(tx, id)
    await outbox.enqueue(tx, 'token-reuse', { userPk }, describeClient(request))
    await events.record(tx, request, { type: 'token_reused', userPk, sessionId: id })
    tx.afterCommit(outbox.wake)
  }

  /**
   * Another client than the one before used a token within the grace period. Once may be a phone that changed networks;
   * a thief who stays within the grace period does it again and again.
   */
  async function recordGraceUse (tx: Db, row: SessionRow, request: FastifyRequest): Promise<void> {
    const times = await countGraceUse(tx, row)
    if (times < 2) return
    await events.record(tx, request, { type: 'token_shared', userPk: row.userPk, sessionId: row.id, times })
  }

  const isExpired = ({ token, session }: OwnedToken) => token.expiresAt <= clock() || session.expiresAt <= clock()

  /** True if /token/refresh would accept it: otherwise a thief could find out here that the owner has just used it. */
  async function isValidRefreshToken (refresh: string): Promise<boolean> {
    const found = isKey(refresh) ? undefined : await findRefreshToken(db, digestOf(refresh))
    if (!found || isExpired(found) || !found.user.isActive) return false
    const { token, session } = found
    if (!token.spentAt) return true
    return await replayWithinGrace(db, session, token.digest, successorsOf(refresh), clock()) !== undefined
  }

  async function isValidAccessToken (access: string): Promise<boolean> {
    const claims = accessTokens?.claimsOf(access, clock())
    const found = claims && await findUserAndSession(db, claims.sub, claims.sid)
    return found?.session != null && found.session.expiresAt > clock() && found.user.isActive
  }
}

const notValid = (message = 'Token is invalid') => new Failure('token_not_valid', { message, tokenIn: 'body' })
const expired = () => new Failure('token_expired', { tokenIn: 'body' })
