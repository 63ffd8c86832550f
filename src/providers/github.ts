/** GitHub, without ID tokens: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
import { asText, membersOf } from './claims.js'
import { defineProvider, type Grant } from './provider.js'

const accept = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

export const github = defineProvider({
  label: 'GitHub',
  // The `iss` of its redirects since April 2026.
  issuer: 'https://github.com/login/oauth',
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    userinfo: 'https://api.github.com/user',
    tokeninfo: 'https://api.github.com/applications/{client_id}/token'
  },
  scopes: ['read:user', 'user:email'],
  profile: async grant => {
    const { id } = membersOf(await grant.get(`${grant.endpoints.userinfo}`, accept))
    // Not `login`, which can be given up and taken by another user; and not `email`, which is the public one.
    if (!Number.isSafeInteger(id)) throw new Error('GitHub returned no user id')
    const email = await emailOf(grant)
    return { subject: String(id), email, emailVerified: email !== undefined }
  },
  isOurs: async ({ accessToken, endpoints: { tokeninfo = '' }, post }, { clientId, clientSecret }) => {
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const response = await post(
      tokeninfo.replace('{client_id}', encodeURIComponent(clientId)),
      { access_token: accessToken },
      { ...accept, authorization }
    )
    return membersOf(membersOf(response).app).client_id === clientId
  }
})

/** A verified address, the primary one if possible. */
async function emailOf ({ endpoints, get }: Grant): Promise<string | undefined> {
  const emails = await get(`${endpoints.userinfo}/emails`, accept).catch(undefinedIfForbidden)
  const verified = Array.isArray(emails) ? emails.map(membersOf).filter(({ verified }) => verified === true) : []
  return asText((verified.find(({ primary }) => primary === true) ?? verified[0])?.email)
}

/** Without the scope `user:email` GitHub forbids the request. */
function undefinedIfForbidden (error: unknown): undefined {
  const { providerStatus: status } = membersOf(error)
  if (status !== 403 && status !== 404) throw error
}
