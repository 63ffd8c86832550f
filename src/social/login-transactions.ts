/**
 * Logins in progress. Each can be finished once, within ten minutes, in the same browser, with the same provider. The
 * PKCE verifier and the nonce are derived from the state, so no secret is stored.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database, Db } from '../db/database.js'
import { createTokenDeriver, hashToken, mintToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { insertTransaction, spendTransaction, type TransactionPurpose } from '../store/social-transactions.js'
import type { BrowserBinding } from './browser-binding.js'

/** From the start of the redirect to the callback. */
const redirectLifetimeSeconds = 600
/** From the callback to the request in which the app's page exchanges its login code. */
const pendingLoginLifetimeSeconds = 60
/** Used ID tokens are remembered a little beyond their expiry, because clocks may differ. */
const usedIdTokenGraceSeconds = 120

interface LoginTransactionsOptions {
  db: Database
  clock: () => Date
  /** Prefix of this registration's routes: several registrations may share the table, but not their logins. */
  path: string
  secret: string
  binding: BrowserBinding
}

interface NewTransaction {
  purpose: TransactionPurpose
  provider: string
  digest: string
  browser: string | null
  lifetimeSeconds: number
  userPk?: string
  next?: string | undefined
}

export function createLoginTransactions ({ db, clock, path, secret, binding }: LoginTransactionsOptions) {
  const verifierOf = createTokenDeriver(secret, 'PKCE verifier')
  const nonceOf = createTokenDeriver(secret, 'OpenID nonce')

  /** Before the redirect to the provider. `challenge` is S256 of the verifier (RFC 7636 §4.2). */
  async function start (reply: FastifyReply, provider: string, next: string | undefined) {
    const state = mintToken()
    const digest = hashToken(state)
    const lifetimeSeconds = redirectLifetimeSeconds
    const browser = binding.bind(reply, digest, lifetimeSeconds)
    await insert(db, { purpose: 'redirect', provider, digest, browser, lifetimeSeconds, next })
    return {
      state,
      nonce: nonceOf(state),
      challenge: createHash('sha256').update(verifierOf(state)).digest('base64url')
    }
  }

  /** At the callback. Undefined for another browser or provider, after ten minutes, and the second time. */
  async function finish (request: FastifyRequest, reply: FastifyReply, provider: string, state: string) {
    const row = await consume(db, 'redirect', provider, state, request, reply)
    return row && { next: row.next ?? undefined, verifier: verifierOf(state), nonce: nonceOf(state) }
  }

  /** Returns a code for the app's page, which exchanges it for the login. */
  async function storePendingLogin (tx: Db, reply: FastifyReply, provider: string, userPk: string): Promise<string> {
    const code = mintToken()
    const digest = hashToken(code)
    const lifetimeSeconds = pendingLoginLifetimeSeconds
    const browser = binding.bind(reply, digest, lifetimeSeconds)
    await insert(tx, { purpose: 'login', provider, digest, browser, lifetimeSeconds, userPk })
    return code
  }

  /** The primary key of the user who logged in; undefined as for `finish`. */
  async function consumePendingLogin (
    tx: Db,
    request: FastifyRequest,
    reply: FastifyReply,
    provider: string,
    code: string
  ): Promise<string | undefined> {
    const row = await consume(tx, 'login', provider, code, request, reply)
    return row?.userPk ?? undefined
  }

  /** False if the ID token was used before. */
  async function markIdTokenUsed (tx: Db, provider: string, idToken: string, expiresAt: Date): Promise<boolean> {
    // Without the signature, which can be encoded in several ways.
    const signedPart = idToken.slice(0, idToken.lastIndexOf('.'))
    const remainingSeconds = Math.max(0, expiresAt.getTime() - clock().getTime()) / 1000
    return await insert(tx, {
      purpose: 'id-token',
      provider,
      digest: hashToken(signedPart),
      browser: null,
      lifetimeSeconds: remainingSeconds + usedIdTokenGraceSeconds
    })
  }

  /** False if there is a transaction with this digest. */
  async function insert (tx: Db, { lifetimeSeconds, ...row }: NewTransaction): Promise<boolean> {
    const now = clock()
    const expiresAt = secondsAfter(now, lifetimeSeconds)
    const [userPk, next] = [row.userPk ?? null, row.next ?? null]
    return await insertTransaction(tx, { ...row, origin: path, userPk, next, createdAt: now, expiresAt })
  }

  async function consume (
    tx: Db,
    purpose: TransactionPurpose,
    provider: string,
    token: string,
    request: FastifyRequest,
    reply: FastifyReply
  ) {
    const digest = hashToken(token)
    const browser = binding.read(request, digest)
    if (browser === undefined) return undefined
    const row = await spendTransaction(tx, { digest, purpose, origin: path, provider, browser }, clock())
    // At the wrong callback the cookie stays: the right one still needs it.
    if (row) binding.release(reply, digest)
    return row
  }

  return { start, finish, storePendingLogin, consumePendingLogin, markIdTokenUsed }
}
export type LoginTransactions = ReturnType<typeof createLoginTransactions>
