/**
 * Logs a user in with credentials from a provider.
 *
 *   POST /:provider   a code, id_token or access_token from the provider, or the login_code of the redirect flow
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import { failure } from '../errors/failure.js'
import type { SocialClient } from '../oauth/types.js'
import { toProviderShape } from '../social/create-social.js'
import type { CredentialsBody } from '../social/credentials.js'
import { listSocialAccounts } from '../store/social-accounts.js'
import { lockUser } from '../store/users.js'

export const socialLogin: Feature = (app, { contract, db, limits, sessions, social }) => {
  if (!social) return
  const { clients, signIn, verifyCredentials, transactions } = social

  for (const client of clients) {
    const { name } = client.settings
    app.post(`/${name}`, { schema: contract.social(toProviderShape(client)).login }, async (request, reply) => {
      await limits.count('socialLogin', request)
      const { login_code: loginCode } = request.body
      const loggedIn = loginCode
        ? await logInByCode(name, loginCode, request, reply)
        : await logIn(client, request.body, request)
      return await sessions.respond(db, loggedIn, request, reply)
    })
  }

  async function logIn (client: SocialClient, body: CredentialsBody, request: FastifyRequest) {
    const { identity, consume } = await verifyCredentials(client, body)
    return await signIn(identity, request, async (tx, user) => {
      await consume(tx)
      return await sessions.logIn(tx, user.pk, request, { provider: identity.provider })
    })
  }

  async function logInByCode (provider: string, code: string, request: FastifyRequest, reply: FastifyReply) {
    return await db.transaction(async tx => {
      const pk = await transactions.consumePendingLogin(tx, request, reply, provider, code)
      const user = pk === undefined ? undefined : await lockUser(tx, pk)
      // Either may have changed since the redirect flow ended.
      const isConnected =
        user?.isActive && (await listSocialAccounts(tx, user.pk)).some(account => account.provider === provider)
      if (!user || !isConnected) throw failure('state_invalid')
      return await sessions.logIn(tx, user.pk, request, { provider })
    })
  }
}
