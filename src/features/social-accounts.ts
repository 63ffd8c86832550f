/**
 * A user decides by which accounts elsewhere he can log in.
 *
 *   POST /:provider/connect                one more, for who has shown lately to be there
 *   GET  /socialaccounts                   which there are
 *   POST /socialaccounts/:id/disconnect    one less, but never the last way in
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { SocialAccountRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import type { SocialClient } from '../oauth/types.js'
import { authenticatedUserOf } from '../session/authenticate.js'
import { shapeOf } from '../social/create-social.js'
import type { CredentialsBody } from '../social/credentials.js'
import { deleteOwnSession } from '../store/sessions.js'
import { deleteSocialAccount, listSocialAccounts } from '../store/social-accounts.js'
import { lockUser } from '../store/users.js'

// Seconds since the password or the provider was last asked (ASVS 7.5.1).
const maxAge = 300

export const socialAccounts: Feature = (app, { contract, db, userRecords, authenticate, sessions, social }) => {
  if (!social) return
  const { clients, identities, verifyCredentials } = social
  const isConfigured = ({ provider }: SocialAccountRow) => clients.some(({ settings }) => settings.name === provider)

  for (const client of clients) {
    const { name } = client.settings
    app.post(
      `/${name}/connect`,
      { schema: contract.social(shapeOf(client)).connect, onRequest: authenticate({ maxAge }) },
      async (request, reply) => {
        const { session, user } = await connect(client, request.body, request)
        return await sessions.respond(db, session, userRecords.toUser(user), request, reply)
      }
    )
  }

  app.get('/socialaccounts', { schema: contract.listSocialAccounts, onRequest: authenticate }, async request =>
    (await listSocialAccounts(db, authenticatedUserOf(request).user.pk)).map(toAnswer))

  app.post<{ Params: { id: string } }>(
    '/socialaccounts/:id/disconnect',
    { schema: contract.disconnectSocialAccount, onRequest: authenticate },
    async request => {
      await disconnect(authenticatedUserOf(request).user.pk, request.params.id)
      return {}
    }
  )

  /** What opens an account has changed: its session goes on under another name (ASVS 7.2.4). */
  async function connect (client: SocialClient, body: CredentialsBody, request: FastifyRequest) {
    const { user: { pk }, sessionId, authenticatedAt } = authenticatedUserOf(request)
    const { identity, consume } = await verifyCredentials(client, body)
    return await identities.link(identity, pk, async tx => {
      await consume(tx)
      // Ended meanwhile.
      if (!await deleteOwnSession(tx, pk, sessionId)) throw failure('token_not_valid')
      return await sessions.logIn(tx, pk, request, authenticatedAt)
    })
  }

  async function disconnect (pk: string, id: string): Promise<void> {
    await db.transaction(async tx => {
      // Locked: of two that are disconnected at once, one is the last.
      const user = await lockUser(tx, pk)
      const all = await listSocialAccounts(tx, pk)
      if (!all.some(account => account.id === id)) throw failure('not_found')
      const others = all.filter(account => account.id !== id && isConfigured(account))
      if (!user?.passwordHash && others.length === 0) throw failure('last_login_method')
      await deleteSocialAccount(tx, id)
    })
  }
}

const toAnswer = ({ id, provider, subject, lastLogin, createdAt }: SocialAccountRow) => ({
  id,
  provider,
  uid: subject,
  last_login: lastLogin.toISOString(),
  date_joined: createdAt.toISOString()
})
