/**
 * Social login of a front end written for dj-rest-auth: it posts a provider's code or token, and gets the answers of
 * dj-rest-auth, except for the table below. support/dj-rest-auth-replay.ts compares the answers. The tokens of the
 * recordings are replaced by those of a fake GitHub and of an OpenID provider in place of Google. They are verified
 * here; dj-rest-auth does not check to which client a token was issued.
 */
import { github } from '../src/providers/github.js'
import { google } from '../src/providers/google.js'
import { startBadProvider } from './support/hostile-provider.js'
import {
  recordings, replayScenes, sentRecordings, type Difference, type Scene, type Tokens
} from './support/dj-rest-auth-replay.js'
import { articleOptions, sqliteBuild, t, type BuiltApp, type Test } from './support/build.js'
import { startGithub, type GithubPerson } from './support/providers/github.js'

const why = {
  address: 'dj-rest-auth\'s defect: it creates users without an e-mail address, who cannot reset a password',
  idToken: 'dj-rest-auth\'s defect: an ID token, which its documentation posts for Google, is enough here',
  crash: 'dj-rest-auth\'s defect: bad input must not cause a 500',
  tokens: 'the session continues with the tokens of the answer; the old ones are invalid',
  stranger: 'dj-rest-auth\'s defect: connecting another user\'s social account is refused, and logs nobody in as them',
  last: 'dj-rest-auth\'s defect: the last login method cannot be disconnected'
}

const incorrect = { non_field_errors: ['Incorrect value'] }
const newcomer = (email: string) => ({ user: { email, gender: '', phone_number: '' } })

const differences: Record<string, Difference> = {
  'social.login.noemail': { why: why.address, status: 502, body: { detail: 'The provider gave no e-mail address.' } },
  'social.google.id_token_only': { why: why.idToken, status: 200, body: newcomer('goog@example.com') },
  'social.google.access_token_bad': { why: why.crash, status: 400, body: incorrect },
  'social.google.access_and_bad_id_token': { why: why.crash, status: 400, body: incorrect },
  'social.google.id_token_wrong_aud': { why: why.crash, status: 400, body: incorrect },
  'social.google.id_token_expired': { why: why.crash, status: 400, body: incorrect },
  'social.connect.again_same_user': {
    why: why.tokens,
    status: 401,
    body: {
      detail: 'Given token not valid for any token type',
      code: 'token_not_valid',
      messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is invalid' }]
    }
  },
  'social.connect.owned_by_other': {
    why: why.stranger,
    status: 400,
    body: { non_field_errors: ['The social account is already connected to a different account.'] }
  },
  'social.accounts.disconnect_last_no_password': {
    why: why.last,
    status: 400,
    body: { non_field_errors: ['Without this account there would be no way to log in. Set a password first.'] }
  }
}

const redirectUri = 'http://localhost:3000/auth/github/callback'

const person = (id: number, login: string, ...addresses: string[]): GithubPerson =>
  ({ id, login, emails: addresses.map(email => ({ email, primary: true, verified: true, visibility: 'private' })) })

/** GitHub with the people of the recordings, and an app that takes its access tokens. */
async function startOurGithub (t: Test) {
  const fake = await startGithub(t, {
    redirectUris: [redirectUri],
    people: {
      alice: person(1001, 'alice', 'alice.gh@example.com'),
      bob: person(1002, 'bob', 'bob.gh@example.com'),
      noemail: person(1003, 'noemail'),
      clash: person(1004, 'clash', 'clash@example.com')
    }
  })
  const { clientId, clientSecret, endpoints } = fake
  return { fake, social: { github: { clientId, clientSecret, accessToken: true, provider: { ...github, endpoints } } } }
}

async function authorizationCodeOf (
  { fake: { authorize, clientId, endpoints } }: Awaited<ReturnType<typeof startOurGithub>>, person: string
): Promise<string> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'read:user user:email'
  })
  return new URL(await authorize(`${endpoints.authorization}?${query}`, person)).searchParams.get('code') ?? ''
}

/** Options of an app with both providers; the providers' codes and tokens are added to `tokens`. */
async function withProviders (t: Test, tokens: Tokens): Promise<object> {
  const ours = await startOurGithub(t)
  const openid = await startBadProvider(t, {
    people: { goog: { sub: '5551', email: 'goog@example.com', email_verified: true } }
  })
  const seconds = openid.clock.now.getTime() / 1000
  const idToken = async (claims = {}) => await openid.issueIdToken({ person: 'goog', claims })
  for (const person of ['alice', 'bob', 'noemail', 'clash']) {
    tokens[`github-${person}`] = ours.fake.issueToken({ person })
  }
  Object.assign(tokens, {
    'code-bob': await authorizationCodeOf(ours, 'bob'),
    google: 'at-goog',
    'id-token': await idToken(),
    'next-id-token': await idToken({ iat: seconds - 1 }),
    'other-id-token': await idToken({ aud: 'other' }),
    'expired-id-token': await idToken({ exp: seconds - 100 })
  })
  const { clientId, clientSecret, issuer, endpoints } = openid
  const social = {
    ...ours.social,
    google: { clientId, clientSecret, accessToken: true, provider: { ...google, issuer, endpoints } }
  }
  return { ...articleOptions, errors: 'drf', social }
}

const accountOf = async ({ get }: BuiltApp, token: string | undefined): Promise<string> =>
  (await get('/socialaccounts', { token })).json()[0].id

const scenes: Record<string, Scene> = {
  'the article\'s app with social login': {
    of: ['social_nourls.', 'social.'],
    options: withProviders,
    before: {
      'social.login.code_ok': async (_app, tokens) => { tokens.alice = tokens.latest ?? '' },
      'social.login.email_clash': async ({ register }, tokens) => {
        tokens.access = (await register({ email: 'clash@example.com' })).access
      },
      // A client gets an ID token with each login; here it works once.
      'social.google.access_and_id_token': async (_app, tokens) => {
        tokens['id-token'] = tokens['next-id-token'] ?? ''
      },
      'social.connect.owned_by_other': async (_app, tokens) => { tokens.access = tokens.latest ?? '' },
      'social.accounts.disconnect_unknown': async (app, tokens) => {
        Object.assign(tokens, {
          account: await accountOf(app, tokens.access),
          'alices-account': await accountOf(app, tokens.alice)
        })
      }
    }
  }
}

replayScenes(recordings.filter(({ name }) => name.startsWith('social')), scenes, differences)

t.test('the provider receives the token request that dj-rest-auth sends, plus a posted PKCE verifier', async t => {
  const ours = await startOurGithub(t)
  const { post } = await sqliteBuild(t, { options: { ...articleOptions, errors: 'drf', social: ours.social } })
  const { clientId, clientSecret, calls } = ours.fake
  const [recorded, ...others] = sentRecordings
  t.equal(others.length, 0)
  const code = await authorizationCodeOf(ours, 'bob')
  await post('/github/', { code })
  const form = { ...recorded?.sent.form, code, client_id: clientId, client_secret: clientSecret }
  t.match(calls('token'), [{ method: 'POST', path: recorded?.sent.path }])
  t.strictSame(calls('token')[0]?.form, form)
  const verifier = 'v'.repeat(43)
  await post('/github/', { code, code_verifier: verifier })
  t.strictSame(calls('token')[1]?.form, { ...form, code_verifier: verifier })
})
