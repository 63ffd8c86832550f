/** What Facebook does unlike others, and addresses that providers send in forms of their own. */
import { facebook } from '../src/providers/facebook.js'
import { articleOptions, story, type Build, type Test } from './support/build.js'
import { startFacebook } from './support/providers/facebook.js'
import { createBrowser } from './support/social-browser.js'

const callback = 'http://localhost:3000/auth/facebook/callback'
const withPage = { urls: { socialLogin: '/welcome', next: ['https://app.example'] } }

async function withFacebook (t: Test, build: Build, options: object = {}, email = 'alice@example.com') {
  const alice = { id: '1', name: 'Alice Liddell', first_name: 'Alice', last_name: 'Liddell', email }
  const fake = await startFacebook(t, { redirectUris: [callback], people: { alice } })
  const { clientId, clientSecret, endpoints } = fake
  const built = await build(t, {
    options: {
      ...articleOptions,
      ...options,
      social: { facebook: { clientId, clientSecret, provider: { ...facebook, endpoints } } }
    }
  })
  fake.clock = built.clock
  const browser = createBrowser(built)
  const logIn = async (query = '', decision = {}, call = {}) =>
    await browser.comeBack(await fake.authorize(await browser.start('facebook', query), 'alice', decision), call)
  return { ...built, fake, browser, logIn }
}

story("the app's page does not inherit the fragment of Facebook's redirect", async (t, build) => {
  const cookies = await withFacebook(t, build, { ...withPage, tokens: { cookies: {} } })
  t.equal((await cookies.logIn()).headers.location, 'http://localhost:3000/welcome#')
  t.equal((await cookies.logIn('?next=https://app.example/a?b=1')).headers.location, 'https://app.example/a?b=1#')
  t.equal((await cookies.logIn('?next=/a%23b')).headers.location, 'http://localhost:3000/a#b', 'it has one of its own')
  const denied = await cookies.logIn('', { deny: true })
  t.equal(denied.headers.location, 'http://localhost:3000/welcome?error=provider_denied#')
  const { logIn } = await withFacebook(t, build, withPage)
  t.match((await logIn()).headers.location, /^http:\/\/localhost:3000\/welcome#provider=facebook&login_code=[\w-]{43}$/)
})

story('an error number of Facebook is an error of the provider, and is logged without its text', async (t, build) => {
  const { browser, logs, logIn } = await withFacebook(t, build, withPage)
  for (const query of [
    'error_code=1349048&error_message=Cannot+load+URL', 'error_code=100&error_message=x', 'error_code=%0Ax'
  ]) {
    const state = new URL(await browser.start('facebook')).searchParams.get('state') ?? ''
    const answer = await browser.comeBack(`${callback}?${query}&state=${state}`)
    t.equal(answer.headers.location, 'http://localhost:3000/welcome?error=provider_error#', query)
  }
  t.match(logs.join(''), /redirect: 1349048/)
  t.notMatch(logs.filter(line => line.includes('login with a provider')).join(''), 'Cannot load')
  const state = new URL(await browser.start('facebook')).searchParams.get('state') ?? ''
  const denied = await browser.comeBack(`${callback}?error=access_denied&error_code=200&state=${state}`)
  t.match(denied.headers.location, /error=provider_denied/, '`error` goes before')
  t.equal((await browser.comeBack(`${callback}?error_code=1&state=nobodys`)).statusCode, 400, 'the state still counts')
  t.match((await logIn()).headers.location, /login_code=/)
})

story('an address that can not be used here gets a message of its own', async (t, build) => {
  for (const email of ['jürgen@example.com', 'ålice@例え.jp', '"a b"@example.com', 'alice@localhost']) {
    const { logIn } = await withFacebook(t, build, {}, email)
    const page = await logIn('', {}, { fault: true })
    t.equal(page.statusCode, 502)
    t.match(page.body, /e-mail address that can not be used here/, email)
    t.notMatch(page.body, /gave us no e-mail address/)
  }
  const { logIn } = await withFacebook(t, build, {}, '')
  t.match((await logIn('', {}, { fault: true })).body, /gave us no e-mail address/)
  const account = { username: 'required', loginMethods: ['username'], email: 'optional', emailVerification: 'none' }
  const { app, logIn: enter } = await withFacebook(t, build, { account }, 'jürgen@example.com')
  const { user } = (await enter()).json()
  t.equal((await app.restAuth.users.find({ pk: user.pk }))?.email, null)
})
