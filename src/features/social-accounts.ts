/**
 * Users manage the providers they can log in with.
 *
 *   POST /:provider/connect                links a provider; needs recent authentication
 *   GET  /socialaccounts                   lists the linked providers
 *   POST /socialaccounts/:id/disconnect    unlinks one, unless it is the only way to log in; needs it too
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { SocialAccountRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import type { SocialClient } from '../oauth/types.js'
import { authenticatedUserOf, recentSeconds } from '../session/authenticate.js'
import { toProviderShape } from '../social/create-social.js'
import type { CredentialsBody } from '../social/credentials.js'
import { deleteOwnSession } from '../store/sessions.js'
import { deleteSocialAccount, listSocialAccounts } from '../store/social-accounts.js'
import { lockUser } from '../store/users.js'

export const socialAccounts: Feature = (app, { contract, db, events, limits, authenticate, sessions, social }) => {
  if (!social) return
  const { clients, link, verifyCredentials } = social
  const recently = authenticate({ maxAge: recentSeconds })
  const isConfigured = ({ provider }: SocialAccountRow) => clients.some(({ settings }) => settings.name === provider)

  for (const client of clients) {
    const { name } = client.settings
    app.post(
      `/${name}/connect`,
      { schema: contract.social(toProviderShape(client)).connect, onRequest: recently },
      async (request, reply) => {
        const loggedIn = await connect(client, request.body, request)
        return await sessions.respond(db, loggedIn, request, reply)
      }
    )
  }

  app.get('/socialaccounts', { schema: contract.listSocialAccounts, onRequest: authenticate }, async request =>
    (await listSocialAccounts(db, authenticatedUserOf(request).user.pk)).map(toResponse))

  app.post<{ Params: { id: string } }>(
    '/socialaccounts/:id/disconnect',
    { schema: contract.disconnectSocialAccount, onRequest: recently },
    async request => {
      await disconnect(request, request.params.id)
      return {}
    }
  )

  /** The ways to log in change, so the session gets new tokens (ASVS 7.2.4). */
  async function connect (client: SocialClient, body: CredentialsBody, request: FastifyRequest) {
    const { user: { pk }, sessionId, authentication } = authenticatedUserOf(request)
    await limits.count('socialConnect', request, { account: pk })
    const { identity, consume } = await verifyCredentials(client, body)
    return await link(identity, pk, request, async (tx, user) => {
      await consume(tx)
      const isSessionAlive = await deleteOwnSession(tx, pk, sessionId)
      if (!isSessionAlive) throw failure('token_not_valid')
      const loggedIn = await sessions.replace(tx, user, request, authentication)
      const { id } = loggedIn.session.row
      const { provider } = identity
      await events.record(tx, request, { type: 'provider_connected', userPk: pk, sessionId: id, provider })
      return loggedIn
    })
  }

  async function disconnect (request: FastifyRequest, id: string): Promise<void> {
    const { user: { pk }, sessionId } = authenticatedUserOf(request)
    await db.transaction(async tx => {
      // Locked, so that two concurrent requests can't disconnect the last two.
      const user = await lockUser(tx, pk)
      const all = await listSocialAccounts(tx, pk)
      const known = all.find(account => account.id === id)
      if (!known) throw failure('not_found')
      const others = all.filter(account => account.id !== id && isConfigured(account))
      if (!user?.passwordHash && others.length === 0) throw failure('last_login_method')
      await deleteSocialAccount(tx, id)
      const { provider } = known
      await events.record(tx, request, { type: 'provider_disconnected', userPk: pk, sessionId, provider })
    })
  }
}

const toResponse = ({ id, provider, subject, lastLogin, createdAt }: SocialAccountRow) => ({
  id,
  provider,
  uid: subject,
  last_login: lastLogin.toISOString(),
  date_joined: createdAt.toISOString()
})
