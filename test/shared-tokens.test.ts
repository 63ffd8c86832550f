/** A thief who refreshes only within the grace period of the owner: they must not see when that is, nor stay unseen. */
import { alice, password, story, type BuiltApp } from './support/build.js'

const owner = { 'user-agent': 'Owner/1.0' }
const thief = { 'user-agent': 'Thief/1.0' }

const refreshAs = async ({ post }: BuiltApp, headers: Record<string, string>, refresh: string) =>
  await post('/token/refresh', { refresh }, { headers })

const eventsOf = ({ logs }: BuiltApp) =>
  logs.map(line => JSON.parse(line)).filter(({ event }) => event === 'token_shared' || event === 'token_reused')

/** Each round, the owner refreshes and then another client uses the same token, if there is one. */
async function rounds (built: BuiltApp, times: number, others: Array<Record<string, string>>): Promise<string> {
  let { refresh } = (await built.post('/login', { email: alice.email, password }, { headers: owner })).json()
  for (let round = 0; round < times; round++) {
    built.clock.advance(300)
    const next = (await refreshAs(built, owner, refresh)).json().refresh
    built.clock.advance(1)
    for (const other of others) {
      const answer = await refreshAs(built, other, refresh)
      if (answer.json().refresh !== next) throw new Error('within the grace period, the token is the same')
    }
    refresh = next
  }
  return refresh
}

story('a thief who stays within the grace period is logged from the second time on', async (t, build) => {
  const built = await build(t)
  const { user } = await built.register()
  await rounds(built, 1, [thief])
  t.same(eventsOf(built), [], 'once may be a phone that changed networks')
  await rounds(built, 4, [thief])
  t.match(eventsOf(built), [2, 3, 4].map(times => ({
    level: 40, event: 'token_shared', userPk: user.pk, sessionId: /^[\da-f-]{36}$/, times, userAgent: 'Thief/1.0'
  })))
  t.equal(eventsOf(built).length, 3)
})

story('a thief at another address is noticed, whatever user agent they name', async (t, build) => {
  const built = await build(t, { server: { trustProxy: true } })
  await built.register()
  await rounds(built, 2, [{ ...owner, 'x-forwarded-for': '203.0.113.9' }])
  t.match(eventsOf(built), [{ event: 'token_shared', times: 2, ip: '203.0.113.9' }])
})

story('neither two tabs of one browser nor a lost response are logged', async (t, build) => {
  const built = await build(t)
  await built.register()
  const refresh = await rounds(built, 10, [owner, owner])
  t.same(eventsOf(built), [])
  t.equal((await refreshAs(built, owner, refresh)).statusCode, 200)
})

story('a thief who refreshes first is noticed by the owner coming second', async (t, build) => {
  const built = await build(t)
  await built.register()
  let { refresh } = (await built.post('/login', { email: alice.email, password }, { headers: owner })).json()
  for (let round = 0; round < 3; round++) {
    const next = (await refreshAs(built, thief, refresh)).json().refresh
    t.equal((await refreshAs(built, owner, refresh)).json().refresh, next)
    refresh = next
  }
  t.match(eventsOf(built), [{ times: 2, userAgent: 'Owner/1.0' }, { times: 3, userAgent: 'Owner/1.0' }])
})

story('the list of sessions does not tell when a session is refreshed', async (t, build) => {
  const built = await build(t, { options: { tokens: { access: 3600 } } })
  const { refresh, access: token } = await built.register()
  const seen = async () => (await built.get('/sessions', { token })).json()[0].last_seen_at
  // The thief looks every five seconds, with a stolen access token of the same session; one refresh is in between.
  const observe = async (refreshes: boolean) => {
    const values: string[] = []
    for (let look = 0; look < 48; look++) {
      built.clock.advance(5)
      if (refreshes && look === 17) t.equal((await refreshAs(built, owner, refresh)).statusCode, 200)
      values.push(await seen())
    }
    return values
  }
  const [start, withRefresh] = [built.clock.now.getTime(), await observe(true)]
  const again = built.clock.now.getTime()
  const without = await observe(false)
  const minutes = (values: string[], from: number) => values.map(value => Date.parse(value) - from)
  t.same(minutes(withRefresh, start), minutes(without, again))
  for (const value of withRefresh) t.match(value, /:00\.000Z$/)
})

story('last_seen_at is never before created_at', async (t, build) => {
  const built = await build(t)
  built.clock.advance(42)
  const { access: token } = await built.register()
  const shown = async () => (await built.get('/sessions', { token })).json()[0]
  t.match(await shown(), { created_at: '2026-11-23T12:00:42.000Z', last_seen_at: '2026-11-23T12:00:42.000Z' })
  built.clock.advance(75)
  t.match(await shown(), { last_seen_at: '2026-11-23T12:01:00.000Z' })
})
