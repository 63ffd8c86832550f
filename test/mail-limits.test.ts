/** A stranger's requests use up the limit of a mailbox; its owner can do without another mail. */
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { alice, password, story, type BuiltApp } from './support/build.js'

const fresh = 'Brand-new-pw-1'

type Link = ReturnType<typeof uidAndTokenIn>

/** The links of all reset mails so far, oldest first. */
const allLinks = async ({ mails }: BuiltApp): Promise<Link[]> =>
  (await mails()).map(uidAndTokenIn).filter(({ token }) => token !== '')

async function requestReset (app: BuiltApp): Promise<Link> {
  await app.post('/password/reset', { email: alice.email })
  return await lastLink(app)
}

const lastLink = async (app: BuiltApp): Promise<Link> => (await allLinks(app)).at(-1) ?? { uid: '', token: '' }

const flood = async (app: BuiltApp, requests = 5) => {
  for (let time = 0; time < requests; time++) await requestReset(app)
}

const isLive = async ({ get }: BuiltApp, { uid, token }: Link): Promise<boolean> =>
  (await get(`/password/reset/confirm/${uid}/${token}`)).statusCode === 200

story('users who ask for a sixth mail in an hour can use the earlier ones as long as a new one', async (t, build) => {
  const app = await build(t)
  await app.register()
  await app.register({ email: 'bob@example.com' })
  await flood(app)
  app.clock.advance(45 * 60)
  const links = await allLinks(app)
  for (const link of links) t.notOk(await isLive(app, link), 'expired')
  await app.post('/password/reset', { email: 'bob@example.com' })
  await app.post('/password/reset', { email: alice.email })
  t.equal((await allLinks(app)).length, 6, "five, and bob's")
  app.clock.advance(1799)
  for (const link of links) t.ok(await isLive(app, link))
  t.equal((await app.post('/password/reset/confirm', { ...links[0], new_password1: '123' })).statusCode, 400)
  t.equal((await app.post('/password/reset/confirm', { ...links[0], new_password1: fresh })).statusCode, 200)
  for (const link of links) t.notOk(await isLive(app, link), 'used up, with the others')
})

story("a stranger's requests never leave the owner without a link, nor with more than five mails an hour", async (
  t, build
) => {
  const app = await build(t)
  await app.register()
  const arrivals: number[] = []
  for (let minute = 0; minute < 180; minute += 5) {
    await requestReset(app)
    await requestReset(app)
    const links = await allLinks(app)
    while (arrivals.length < links.length) arrivals.push(minute)
    t.ok(await isLive(app, links.at(-1) as Link))
    t.ok(arrivals.filter(arrival => arrival > minute - 60).length <= 5)
    app.clock.advance(300)
  }
  t.notOk(await isLive(app, (await allLinks(app))[0] as Link), 'a link of three hours ago')
})

story('only requests for the same user prolong a link; any other expires', async (t, build) => {
  const app = await build(t)
  await app.register()
  await app.register({ email: 'bob@example.com' })
  const link = await requestReset(app)
  app.clock.advance(1799)
  for (let time = 0; time < 7; time++) await app.post('/password/reset', { email: 'bob@example.com' })
  await app.mails()
  t.ok(await isLive(app, link))
  app.clock.advance(1)
  t.notOk(await isLive(app, link))
})

story('once the mailed links are void, the next request gets a mail in spite of the limit', async (t, build) => {
  const app = await build(t)
  const { user, access } = await app.register()
  const mailed = async () => {
    const before = (await allLinks(app)).length
    await flood(app, 3)
    return (await allLinks(app)).length - before
  }
  await flood(app)
  t.equal(await mailed(), 0)
  const change = { old_password: password, new_password1: 'Changed-meanwhile-1' }
  t.equal((await app.post('/password/change', change, { token: access })).statusCode, 200)
  t.equal(await mailed(), 1, 'the password has changed')
  const reset = await app.post('/password/reset/confirm', { ...await lastLink(app), new_password1: fresh })
  t.equal(reset.statusCode, 200)
  t.equal(await mailed(), 1, 'the link was used')
  await app.app.restAuth.users.deactivate(user.pk)
  await app.app.restAuth.users.activate(user.pk)
  t.equal(await mailed(), 1, 'the account was deactivated')
  t.ok(await isLive(app, await lastLink(app)))
})

story("a new address gets a mail although the old one's hour is full, and revives no link", async (t, build) => {
  const app = await build(t)
  const { user } = await app.register()
  await flood(app)
  const old = await lastLink(app)
  await app.app.restAuth.users.update(user.pk, { email: 'new@example.com' })
  await app.post('/password/reset', { email: 'new@example.com' })
  t.equal((await app.mails()).at(-1)?.to, 'new@example.com')
  t.ok(await isLive(app, await lastLink(app)))
  t.notOk(await isLive(app, old))
})

story('of 50 requests over the limit during a reset, none brings a used link back', async (t, build) => {
  const app = await build(t)
  await app.register()
  await flood(app)
  const link = await lastLink(app)
  const requests = Array.from({ length: 50 }, async () => await app.post('/password/reset', { email: alice.email }))
  const reset = app.post('/password/reset/confirm', { ...link, new_password1: fresh })
  await Promise.all([...requests, app.mails()])
  t.equal((await reset).statusCode, 200)
  await app.mails()
  t.notOk(await isLive(app, link))
  t.equal((await app.post('/login', { email: alice.email, password: fresh })).statusCode, 200)
})

story('a request within three minutes makes the earlier link last as long as a new one', async (t, build) => {
  const options = { account: {}, tokens: { emailVerification: 300 } }
  const { post, mails, clock, register } = await build(t, { options })
  await register()
  const key = keyIn((await mails())[0])
  clock.advance(179)
  await post('/registration/resend-email', { email: alice.email })
  t.equal((await mails()).length, 1)
  clock.advance(299)
  t.equal((await post('/registration/verify-email', { key })).statusCode, 200)
  clock.advance(1)
  t.equal((await post('/registration/verify-email', { key })).statusCode, 404)
})

story('account.resendInterval sets the time between two confirmation mails, up to a day', async (t, build) => {
  for (const resendInterval of [30, 86400]) {
    const options = { account: { resendInterval }, tokens: { emailVerification: 300 } }
    const { app, post, mails, clock, register } = await build(t, { options })
    await register()
    await register({ email: 'bob@example.com' })
    const resend = async (email: string) => {
      await post('/registration/resend-email', { email })
      return (await mails()).length
    }
    t.equal(await resend('bob@example.com'), 2, `${resendInterval}: one mail each at registration`)
    const key = keyIn((await mails()).find(({ to }) => to === alice.email))
    // Each mail that is sent makes the app delete what it no longer needs.
    for (let passed = 3600; passed < resendInterval; passed += 3600) {
      clock.advance(3600)
      await post('/password/reset', { email: 'bob@example.com' })
    }
    clock.advance(Math.min(resendInterval, 3600) - 1)
    const before = (await mails()).length
    t.equal(await resend(alice.email), before, 'a second too early')
    clock.advance(299)
    t.equal((await post('/registration/verify-email', { key })).statusCode, 200, 'but the link works again')
    t.equal(await resend('bob@example.com'), before + 1)
    t.match(JSON.stringify(app.restAuth.openapi()), `at most once in ${resendInterval} seconds`)
  }
})

story('a verification link outlasts a change of the password, so no second mail is sent', async (t, build) => {
  const options = { account: { emailVerification: 'optional' } }
  const { post, mails, register } = await build(t, { options })
  const { access: token } = await register()
  const key = keyIn((await mails())[0])
  await post('/password/change', { old_password: password, new_password1: fresh }, { token })
  await post('/registration/resend-email', { email: alice.email })
  t.equal((await mails()).filter(mail => keyIn(mail) !== '').length, 1)
  t.equal((await post('/registration/verify-email', { key })).statusCode, 200)
})

story('registering a taken address too often prolongs the reset links that its owner got', async (t, build) => {
  const app = await build(t, { options: { account: { emailVerification: 'mandatory' } } })
  await app.post('/registration', alice)
  await app.mails()
  for (let time = 0; time < 5; time++) await app.post('/registration', alice)
  const links = await allLinks(app)
  t.equal(links.length, 5)
  app.clock.advance(1801)
  for (const link of links) t.notOk(await isLive(app, link))
  await app.post('/registration', alice)
  t.equal((await allLinks(app)).length, 5)
  for (const link of links) t.ok(await isLive(app, link))
})
