/** GitHub, which knows no ID tokens: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
import { asText, membersOf } from './claims.js'
import { defineProvider, type Grant } from './provider.js'

const accept = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

export const github = defineProvider({
  label: 'GitHub',
  // What its redirects tell as `iss` since April 2026.
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
    // The login name can be given up, and taken by somebody else; `email` is whatever the person shows to the public.
    if (!Number.isSafeInteger(id)) throw new Error('GitHub told no user id')
    const email = await emailOf(grant)
    return { subject: String(id), email, emailVerified: email !== undefined }
  },
  isOurs: async ({ accessToken, endpoints: { tokeninfo = '' }, post }, { clientId, clientSecret }) => {
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const answer = await post(
      tokeninfo.replace('{client_id}', encodeURIComponent(clientId)),
      { access_token: accessToken },
      { ...accept, authorization }
    )
    return membersOf(membersOf(answer).app).client_id === clientId
  }
})

/** The verified address, the primary one if it is among them. */
async function emailOf ({ endpoints, get }: Grant): Promise<string | undefined> {
  const answer = await get(`${endpoints.userinfo}/emails`, accept).catch(unlessNotGranted)
  const verified = Array.isArray(answer) ? answer.map(membersOf).filter(({ verified }) => verified === true) : []
  return asText((verified.find(({ primary }) => primary === true) ?? verified[0])?.email)
}

/** Whoever was not asked for the scope `user:email` has not granted it. */
function unlessNotGranted (error: unknown): undefined {
  const { status } = Object(error) as { status?: number }
  if (status !== 403 && status !== 404) throw error
}
