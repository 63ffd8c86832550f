/** When a provider fails or lies, the login fails in time, leaves nothing behind and can be retried. */
import type { LightMyRequestResponse } from 'fastify'
import { likeGoogle, withBadProvider } from './support/hostile-provider-app.js'
import {
  answerLies, faults, idTokenLies, startBadProvider, userinfoLies, type Fault
} from './support/hostile-provider.js'
import {
  alice, articleOptions, sqliteBuild, story, t, type Build, type BuildOptions, type Test
} from './support/build.js'
import { createBrowser } from './support/social-browser.js'

const clientSecret = 'the-client-secret-of-the-app'

/** An app whose log must contain none of the provider's secrets. */
async function withFaults (t: Test, setup: BuildOptions = {}, build: Build = sqliteBuild) {
  const built = await withBadProvider(t, build, {
    ...setup,
    provider: { clientSecret },
    social: bad => ({ google: likeGoogle(bad, { clientSecret }) })
  })
  t.teardown(() => {
    if (/at-alice|code-alice|eyJ\w{20}|the-client-secret/.test(built.logs.join(''))) {
      t.fail('the log contains a secret of the provider')
    }
  })
  return built
}
type Built = Awaited<ReturnType<typeof withFaults>>

const statuses: Record<string, number> = {
  provider_unavailable: 503,
  provider_error: 502,
  code_exchange_failed: 400,
  provider_token_invalid: 400
}

/** Checks that the login failed with this error, created no user and revealed no secret. */
async function judge (t: Test, { app, get }: Built, answer: LightMyRequestResponse, code: string, what: string) {
  t.equal(answer.json().code, code, what)
  t.equal(answer.statusCode, statuses[code], what)
  t.equal(answer.headers['retry-after'], code === 'provider_unavailable' ? '5' : undefined, what)
  t.same(answer.cookies, [], what)
  t.notMatch(answer.body, /at-alice|code-alice|eyJ|"access"/, what)
  t.equal(await app.restAuth.users.find({ email: alice.email }), undefined, what)
  t.equal((await get('/user')).statusCode, 401)
}

/** Temporary faults: a retry may succeed. */
const passing: readonly Fault[] = ['slow', 'drip', 'reset', 'error500', 'error429']
/** Faults that only the time limit ends. To the others the app listens patiently, however busy the machine. */
const endless: readonly Fault[] = ['slow', 'drip']
// Long enough for the honest answers between the faults.
const impatient = { providerTimeoutMs: 4000 }
const byPatience = [
  [faults.filter(fault => !endless.includes(fault)), {}],
  [endless, impatient]
] as const
const byCode = async ({ enter }: Built) => await enter('alice', { fault: true })
const ways = {
  discovery: byCode,
  token: byCode,
  jwks: byCode,
  userinfo: byCode,
  tokeninfo: async ({ post }: Built) => await post('/google', { access_token: 'at-alice' }, { fault: true })
}

for (const endpoint of Object.keys(ways) as Array<keyof typeof ways>) {
  void t.test(`a fault of the ${endpoint} endpoint fails the login, and a later retry succeeds`, async t => {
    for (const [some, internals] of byPatience) await tryFaults(t, some, await withFaults(t, { internals }))
  })

  async function tryFaults (t: Test, some: readonly Fault[], built: Built) {
    const { bad, clock, enter, app } = built
    // The address is fetched from userinfo only if the ID token has none.
    if (endpoint === 'userinfo') bad.lie = 'no address'
    for (const fault of some) {
      // Let the caches of metadata and keys expire.
      clock.advance(3601)
      bad.faults = { [endpoint]: fault }
      const count = bad.calls(endpoint).length
      const answer = await ways[endpoint](built)
      // A request that is still pending is not repeated.
      t.ok(bad.calls(endpoint).length <= count + 1, `${fault}: asked once`)
      // An array has no audience, so the token counts as issued to another app.
      const code = passing.includes(fault)
        ? 'provider_unavailable'
        : endpoint === 'tokeninfo' && fault === 'array'
          ? 'provider_token_invalid'
          : 'provider_error'
      await judge(t, built, answer, code, fault)
    }
    t.notOk(bad.requests.some(({ path }) => path.startsWith('/elsewhere')), 'redirects are not followed')
    bad.faults = {}
    bad.lie = undefined
    clock.advance(3601)
    // The first retry may join a request that is still pending, and fail with it.
    const first = await enter('alice', { fault: true })
    const answer = first.statusCode === 503 ? await enter('alice') : first
    t.equal(answer.statusCode, 200)
    t.equal((await app.restAuth.socialAccounts.list(answer.json().user.pk)).length, 1)
  }
}

void t.test('a login with contradictory or forged claims is refused', async t => {
  const built = await withFaults(t)
  const { bad, post } = built
  bad.nonce = 'n'
  for (const lie of [...idTokenLies, ...answerLies, ...userinfoLies]) {
    bad.lie = lie
    const answer = await post('/company', { code: 'code-alice', nonce: 'n' }, { fault: true })
    await judge(t, built, answer, lie === 'an error with 200' ? 'code_exchange_failed' : 'provider_error', lie)
  }
  bad.lie = undefined
  t.equal((await post('/company', { code: 'code-alice', nonce: 'n' })).statusCode, 200)
})

void t.test('after a provider fault the browser gets an error page, and the next login succeeds', async t => {
  const built = await withFaults(t)
  const { bad, clock, app } = built
  const browser = createBrowser(built)
  const comeBack = async () =>
    await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'), { fault: true })
  const refused = async (what: string, status: number) => {
    const answer = await comeBack()
    t.equal(answer.statusCode, status, what)
    t.match(answer.headers['content-type'], /^text\/html/, what)
    t.equal(answer.headers['retry-after'], status === 503 ? '5' : undefined, what)
    t.notMatch(answer.body, /at-alice|code-alice|eyJ/, what)
    t.equal(browser.cookies.size, 0, `${what}: the cookie of the login is removed`)
    t.equal(await app.restAuth.users.find({ email: alice.email }), undefined, what)
  }
  for (const fault of faults.filter(fault => !endless.includes(fault))) {
    bad.faults = { token: fault }
    await refused(fault, passing.includes(fault) ? 503 : 502)
  }
  bad.faults = {}
  for (const lie of [...idTokenLies, ...answerLies, ...userinfoLies]) {
    bad.lie = lie
    await refused(lie, lie === 'an error with 200' ? 400 : 502)
  }
  bad.lie = undefined
  t.notOk(bad.requests.some(({ path }) => path.startsWith('/elsewhere')))
  clock.advance(3601)
  bad.faults = { discovery: 'error500' }
  const answer = await browser.open('GET', '/company/login', { fault: true })
  t.equal(answer.statusCode, 503, 'a login cannot start without the metadata of the provider')
  bad.faults = {}
  t.equal((await comeBack()).statusCode, 200)
})

void t.test('with urls.socialLogin, a provider fault redirects to the page of the app with an error code', async t => {
  for (const [fault, code, internals] of [
    ['slow', 'provider_unavailable', impatient], ['html', 'provider_error', {}]
  ] as const) {
    const built = await withFaults(t, { options: { urls: { socialLogin: '/welcome' } }, internals })
    const { bad } = built
    const browser = createBrowser(built)
    bad.faults = { jwks: fault }
    const answer = await browser.comeBack(await bad.authorize(await browser.start('company'), 'alice'))
    t.equal(answer.statusCode, 303)
    t.equal(answer.headers.location, `http://localhost:3000/welcome?error=${code}`)
  }
})

void t.test('a login at a hanging or closed provider is unavailable, by default after five seconds', async t => {
  const { bad, enter } = await withBadProvider(t, sqliteBuild, { internals: { providerTimeoutMs: undefined } })
  bad.faults = { token: 'drip', jwks: 'slow' }
  const started = performance.now()
  const answer = await enter('alice', { fault: true })
  const seconds = (performance.now() - started) / 1000
  t.equal(answer.statusCode, 503)
  // The provider never ends by itself, so the upper bound may be generous.
  t.ok(seconds > 4 && seconds < 60, String(seconds))
  await bad.close()
  t.equal((await enter('alice', { fault: true })).json().code, 'provider_unavailable')
})

void t.test('the app starts while a provider is down, and logins work once the provider is back', async t => {
  const bad = await startBadProvider(t)
  for (const fault of ['slow', 'error500', 'reset'] as const) {
    bad.faults = { discovery: fault }
    const { post, logs } = await sqliteBuild(t, {
      options: { ...articleOptions, social: { company: { issuer: bad.issuer, clientId: bad.clientId, clientSecret } } },
      internals: fault === 'slow' ? impatient : {}
    })
    const told = logs.map(line => JSON.parse(line)).filter(({ level }) => level >= 40).map(({ msg }) => msg)
    t.same(told, ['a provider did not give its metadata at start'], 'nobody has logged in yet')
    t.equal(
      (await post('/company', { code: 'code-alice' }, { fault: true })).json().code,
      'provider_unavailable',
      fault
    )
    bad.faults = {}
    t.equal((await post('/company', { code: 'code-alice' })).statusCode, 200, fault)
  }
})

void t.test('a provider fault is logged once: as an error if the app must be fixed, else as a warning', async t => {
  const built = await withFaults(t)
  const { bad, enter, logs } = built
  const browser = createBrowser(built)
  const enterByRedirect = async (change: (redirect: URL) => void = () => {}) => {
    const redirect = new URL(await bad.authorize(await browser.start('company'), 'alice'))
    change(redirect)
    return await browser.comeBack(redirect.href, { fault: true })
  }
  const outcomes: Array<[number, string, () => Promise<LightMyRequestResponse>]> = [
    [40, 'token endpoint: status 500', async () => await enter('alice', { fault: true })],
    [40, 'token endpoint: status 500', enterByRedirect],
    [
      40,
      'redirect: temporarily_unavailable',
      async () =>
        await enterByRedirect(({ searchParams }) => {
          searchParams.set('error', 'temporarily_unavailable')
        })
    ],
    [
      50,
      'redirect: invalid_scope',
      async () =>
        await enterByRedirect(({ searchParams }) => {
          searchParams.set('error', 'invalid_scope')
        })
    ]
  ]
  bad.faults = { token: 'error500' }
  for (const [level, reason, attempt] of outcomes) {
    logs.length = 0
    t.ok((await attempt()).statusCode >= 500)
    const lines = logs.map(line => JSON.parse(line)).filter(line => line.level >= 40)
    t.match(lines, [{ level, provider: 'company', reason, msg: 'login with a provider failed' }])
    t.equal(lines.length, 1, `${reason}, once`)
  }
})

story('a provider fault during connect connects nothing and keeps the user logged in', async (t, build) => {
  const { bad, post, get, connect } = await withFaults(t, { internals: impatient }, build)
  const { access: token } = (await post('/registration', { ...alice, email: 'carol@example.com' })).json()
  for (const fault of ['slow', 'null', 'error429'] as const) {
    bad.faults = { token: fault }
    t.equal((await connect('alice', token, { fault: true })).statusCode, fault === 'null' ? 502 : 503)
    t.same((await get('/socialaccounts', { token })).json(), [])
  }
  bad.faults = {}
  t.equal((await connect('alice', token)).statusCode, 200)
})
