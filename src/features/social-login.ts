/**
 * What a provider has handed out opens a session.
 *
 *   POST /:provider   code, id_token or access_token of the provider, or the login_code that the redirect flow ended with
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import { failure } from '../errors/failure.js'
import type { SocialClient } from '../oauth/types.js'
import { shapeOf } from '../social/create-social.js'
import type { CredentialsBody } from '../social/credentials.js'
import { listSocialAccounts } from '../store/social-accounts.js'
import { lockUser } from '../store/users.js'

export const socialLogin: Feature = (app, { contract, db, userRecords, sessions, social }) => {
  if (!social) return
  const { clients, identities, verifyCredentials, transactions } = social

  for (const client of clients) {
    const { name } = client.settings
    app.post(`/${name}`, { schema: contract.social(shapeOf(client)).login }, async (request, reply) => {
      const { login_code: loginCode } = request.body
      const { session, user } = loginCode
        ? await fetchLogin(name, loginCode, request, reply)
        : await logIn(client, request.body, request)
      return await sessions.respond(db, session, userRecords.toUser(user), request, reply)
    })
  }

  async function logIn (client: SocialClient, body: CredentialsBody, request: FastifyRequest) {
    const { identity, consume } = await verifyCredentials(client, body)
    return await identities.signIn(identity, request, async (tx, user) => {
      await consume(tx)
      return await sessions.logIn(tx, user.pk, request)
    })
  }

  async function fetchLogin (provider: string, code: string, request: FastifyRequest, reply: FastifyReply) {
    return await db.transaction(async tx => {
      const pk = await transactions.consumePendingLogin(tx, request, reply, provider, code)
      const user = pk === undefined ? undefined : await lockUser(tx, pk)
      // Deactivated or disconnected in the moment between.
      const isConnected =
        user?.isActive && (await listSocialAccounts(tx, user.pk)).some(account => account.provider === provider)
      if (!user || !isConnected) throw failure('state_invalid')
      return await sessions.logIn(tx, user.pk, request)
    })
  }
}
