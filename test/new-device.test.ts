/** A user who logs in from a device and network that they have not used before gets a mail. */
import { alice, password, story, type Build, type BuiltApp, type Test } from './support/build.js'
import { keyIn } from './support/answers.js'

const firefox = (version: number) =>
  `Mozilla/5.0 (Windows NT 10.0; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`
const safari = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 ' +
  'Safari/605.1.15'

/** Alice has registered with Firefox, and verified her address. */
async function buildWithDevices (t: Test, build: Build, options: object = {}) {
  const app = await build(t, {
    options: { account: { emailVerification: 'optional' }, ...options }, server: { trustProxy: true }
  })
  const from = (ip: string, userAgent: string, others: object = {}) =>
    ({ headers: { 'x-forwarded-for': ip, 'user-agent': userAgent, ...others } })
  const login = async (...client: Parameters<typeof from>) =>
    await app.post('/login', { email: alice.email, password }, from(...client))
  const notices = async () => (await app.mails()).filter(({ subject }) => subject.includes('New login'))
  await app.post('/registration', alice, from('203.0.113.7', firefox(130)))
  await app.post('/registration/verify-email', { key: keyIn((await app.mails()).at(-1)) })
  return { ...app, login, notices }
}

story('a login from a new device or network is mailed once', async (t, build) => {
  const { login, notices } = await buildWithDevices(t, build)
  await login('203.0.113.7', firefox(130))
  await login('203.0.113.7', firefox(131))
  t.same(await notices(), [], 'the device of the registration, also with a newer browser')
  await login('203.0.113.7', safari)
  const [mail, ...others] = await notices()
  t.same(others, [])
  t.match(mail?.text, /Somebody logged in .* with Safari on macOS,?\s+from the IP address 203\.0\.113\.7\./s)
  await login('203.0.113.7', safari)
  await login('198.51.100.9', firefox(131))
  await login('198.51.100.9', firefox(131))
  t.equal((await notices()).length, 2)
  await login('2001:db8::1', firefox(131))
  await login('2001:db8::2', firefox(131))
  t.equal((await notices()).length, 3, 'an IPv6 network is one place')
})

story('a device that sends the token of an earlier login is known everywhere', async (t, build) => {
  const { login, notices } = await buildWithDevices(t, build, { limits: {} })
  const { headers } = await login('203.0.113.7', firefox(130))
  const token = { 'device-token': String(headers['device-token']) }
  await login('198.51.100.9', safari, token)
  t.same(await notices(), [])
  await login('198.51.100.9', safari, { 'device-token': `${token['device-token']}x` })
  t.equal((await notices()).length, 1, 'a forged token makes no device known')
})

story('concurrent first logins from a new device send few mails and no error', async (t, build) => {
  const { login, notices } = await buildWithDevices(t, build)
  const answers = await Promise.all(Array.from({ length: 20 }, () => login('198.51.100.9', safari)))
  t.ok(answers.every(({ statusCode }) => statusCode === 200))
  t.equal((await notices()).length, 1)
})

story('an unverified address gets no notice, and the option turns them off', async (t, build) => {
  async function mailsAfterLogin ({ login, notices }: Awaited<ReturnType<typeof buildWithDevices>>) {
    await login('198.51.100.9', safari)
    return (await notices()).length
  }
  t.equal(await mailsAfterLogin(await buildWithDevices(t, build, { sessions: { notifyNewDevice: false } })), 0)
  const built = await buildWithDevices(t, build)
  await built.app.restAuth.users.update((await user(built)).pk, { email_verified: false })
  t.equal(await mailsAfterLogin(built), 0)
})

const user = async ({ app }: Pick<BuiltApp, 'app'>) => {
  const found = await app.restAuth.users.find({ email: alice.email })
  if (!found) throw new Error('alice has registered')
  return found
}

story('a device that was not used for 400 days is new again', async (t, build) => {
  const { app, login, notices, clock } = await buildWithDevices(t, build)
  await login('198.51.100.9', safari)
  clock.advance(399 * 86400)
  await login('203.0.113.7', firefox(130))
  await app.restAuth.sweep()
  t.equal((await notices()).length, 1)
  clock.advance(2 * 86400)
  t.match(await app.restAuth.sweep(), { knownDevices: 1 })
  await login('198.51.100.9', safari)
  t.equal((await notices()).length, 2)
})
