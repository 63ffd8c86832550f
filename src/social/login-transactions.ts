/**
 * What is under way with a provider: kept on the server, good once, for ten minutes, in one browser, with one provider.
 * The row holds digests; the PKCE verifier and the nonce are derived from the state, so that no secret is stored.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database, Db } from '../db/database.js'
import { createTokenDeriver, hashToken, mintToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { insertTransaction, spendTransaction, type TransactionPurpose } from '../store/social-transactions.js'
import type { BrowserBinding } from './browser-binding.js'

// Seconds: at the provider; and from the redirect to the app's own page, which fetches the login.
const redirectLifetimeSeconds = 600
const pendingLoginLifetimeSeconds = 60

interface LoginTransactionsOptions {
  db: Database
  clock: () => Date
  /** Of the routes of this registration of the plugin: another one's transactions are none of ours. */
  path: string
  secret: string
  binding: BrowserBinding
}

export function createLoginTransactions ({ db, clock, path, secret, binding }: LoginTransactionsOptions) {
  const verifierOf = createTokenDeriver(secret, 'PKCE verifier')
  const nonceOf = createTokenDeriver(secret, 'OpenID nonce')

  async function store (tx: Db, purpose: TransactionPurpose, provider: string, given: { digest: string, browser: string | null, lifetime: number, userPk?: string, next?: string | undefined }): Promise<boolean> {
    const { lifetime, userPk = null, next = null, ...rest } = given
    const now = clock()
    return await insertTransaction(tx, {
      ...rest,
      purpose,
      origin: path,
      provider,
      userPk,
      next,
      createdAt: now,
      expiresAt: secondsAfter(now, lifetime)
    })
  }

  async function spend (tx: Db, purpose: TransactionPurpose, provider: string, token: string, request: FastifyRequest, reply: FastifyReply) {
    const key = hashToken(token)
    const browser = binding.read(request, key)
    const row =
      browser === undefined
        ? undefined
        : await spendTransaction(tx, { digest: key, purpose, origin: path, provider, browser }, clock())
    // Whoever is at the wrong callback needs it at the right one.
    if (row) binding.release(reply, key)
    return row
  }

  return {
    /** Before the browser is sent to the provider. `challenge`: S256 of the verifier (RFC 7636 §4.2). */
    async start (reply: FastifyReply, provider: string, next: string | undefined) {
      const state = mintToken()
      const key = hashToken(state)
      await store(db, 'redirect', provider, {
        digest: key,
        browser: binding.bind(reply, key, redirectLifetimeSeconds),
        lifetime: redirectLifetimeSeconds,
        next
      })
      return {
        state,
        nonce: nonceOf(state),
        challenge: createHash('sha256').update(verifierOf(state)).digest('base64url')
      }
    },

    /** When the browser is back; undefined where it is another browser, another provider, too late, or not the first time. */
    async finish (request: FastifyRequest, reply: FastifyReply, provider: string, state: string) {
      const row = await spend(db, 'redirect', provider, state, request, reply)
      return row && { next: row.next ?? undefined, verifier: verifierOf(state), nonce: nonceOf(state) }
    },

    /** Leaves a login for the app's page to fetch; answers with its code. */
    async storePendingLogin (tx: Db, reply: FastifyReply, provider: string, userPk: string): Promise<string> {
      const code = mintToken()
      const key = hashToken(code)
      await store(tx, 'login', provider, {
        digest: key,
        browser: binding.bind(reply, key, pendingLoginLifetimeSeconds),
        lifetime: pendingLoginLifetimeSeconds,
        userPk
      })
      return code
    },

    /** Whose login it is; undefined as for `finish`. */
    consumePendingLogin: async (
      tx: Db,
      request: FastifyRequest,
      reply: FastifyReply,
      provider: string,
      code: string
    ): Promise<string | undefined> => (await spend(tx, 'login', provider, code, request, reply))?.userPk ?? undefined,

    /** Notes that an ID token was used; false when it was before. */
    async markIdTokenUsed (tx: Db, provider: string, idToken: string, expiresAt: Date): Promise<boolean> {
      const lifetime = Math.max(0, expiresAt.getTime() - clock().getTime()) / 1000
      // The signature can be written in several ways; what it signs, in one.
      const signed = idToken.slice(0, idToken.lastIndexOf('.'))
      // Past its end it is refused for that; until a moment after, clocks may differ.
      return await store(tx, 'id-token', provider, {
        digest: hashToken(signed),
        browser: null,
        lifetime: lifetime + 120
      })
    }
  }
}
export type LoginTransactions = ReturnType<typeof createLoginTransactions>
