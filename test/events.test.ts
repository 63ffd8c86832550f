/** What happens to accounts is logged, given to the hook `event`, and with `audit` stored: docs/events.md. */
import { readFileSync } from 'node:fs'
import { eventKindOf, eventTypes, type EventType } from '../schemas/events.js'
import { masked } from '../src/lib/mask.js'
import type { AuthEvent } from '../src/types.js'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { alice, password, story, t, type Build, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

/** An app that stores events, and what its hook got. */
async function buildWithEvents (
  t: Test, build: Build, options: { hooks?: object } & Record<string, unknown> = {}, database?: string
) {
  const heard: AuthEvent[] = []
  const { hooks = {}, ...rest } = options
  const app = await build(t, {
    ...(database && { database }),
    options: {
      audit: true,
      account: { emailVerification: 'optional' },
      hooks: { ...hooks, event: (event: AuthEvent) => { heard.push(event) } },
      ...rest
    }
  })
  return { ...app, heard, types: () => heard.map(({ type }) => type) }
}

const logged = ({ logs }: Pick<BuiltApp, 'logs'>) =>
  logs.map(line => JSON.parse(line)).filter(({ event }) => event !== undefined)

story('log, hook and table tell the same of an account', async (t, build) => {
  const built = await buildWithEvents(t, build)
  const { app, heard, post, patch, get, register, types } = built
  const { access, refresh, user } = await register()
  await post('/login', { email: alice.email, password: 'A-wr0ng-password' })
  await post('/login', { email: 'nobody@example.com', password })
  const headers = { 'user-agent': 'Other/1' }
  const other = (await post('/login', { email: alice.email, password }, { headers })).json()
  await patch('/user', { gender: 'M' }, { token: access })
  await post('/reauthenticate', { password }, { token: access })
  await post('/reauthenticate', { password: 'A-wr0ng-password' }, { token: access })
  const next = 'N3w-secret-password'
  const change = { old_password: password, new_password1: next }
  await post('/password/change', { ...change, old_password: 'A-wr0ng-password' }, { token: access })
  await post('/password/change', change, { token: access })
  await post('/logout', { refresh })
  const expected: EventType[] = [
    'user_registered', 'login_succeeded', 'login_failed', 'login_failed', 'login_succeeded', 'user_updated',
    'reauthenticated', 'reauthentication_failed', 'password_change_failed', 'password_changed', 'logged_out'
  ]
  t.same(types(), expected)
  t.same(logged(built).map(({ event }) => event), expected)
  const stored = await app.restAuth.events.list()
  t.same(stored, heard.toReversed(), 'newest first')
  t.match(heard[0], { outcome: 'success', userPk: user.pk, ip: '127.0.0.1', userAgent: 'lightMyRequest' })
  t.match(heard[1], { amr: ['pwd'], sessionId: String, newDevice: false })
  t.match(heard[2], { outcome: 'failure', userPk: user.pk, sessionId: null, identifier: 'a…@e….com' })
  t.match(heard[3], { outcome: 'failure', userPk: null, identifier: 'n…@e….com' })
  t.match(heard[4], { userAgent: 'Other/1', newDevice: true })
  t.same(heard[5]?.fields, ['gender'])
  t.equal(heard[10]?.sessionId, heard[1]?.sessionId)
  t.match(logged(built)[2], { level: 40, outcome: 'failure', msg: eventTypes.login_failed.message })
  t.equal((await get('/user', { token: other.access })).statusCode, 401)
})

story('what the app itself does is an event without a client', async (t, build) => {
  const { app, heard, register, post, types } = await buildWithEvents(t, build)
  const { user } = await register()
  const { users, sessions } = app.restAuth
  await users.update(user.pk, { gender: 'M' })
  await users.deactivate(user.pk)
  await users.activate(user.pk)
  await post('/login', { email: alice.email, password })
  const [session] = await sessions.list(user.pk)
  await sessions.end(session?.id ?? '')
  t.notOk(await sessions.end(session?.id ?? ''), 'it has ended')
  await sessions.endAll(user.pk)
  await users.delete(user.pk)
  t.notOk(await users.delete(user.pk))
  t.same(types().slice(2), [
    'user_updated', 'user_deactivated', 'user_activated', 'login_succeeded', 'session_ended', 'sessions_ended',
    'user_deleted'
  ])
  t.match(heard[2], { userPk: user.pk, ip: null, userAgent: null, fields: ['gender'] })
  t.equal((await app.restAuth.events.list({ userPk: user.pk })).length, 9, 'the events of a deleted user stay')
})

story('verification and reset are events', async (t, build) => {
  const { post, register, mails, types, heard } = await buildWithEvents(t, build)
  await register()
  await post('/registration/verify-email', { key: keyIn((await mails()).at(-1)) })
  await post('/password/reset', { email: alice.email })
  await post('/password/reset', { email: 'nobody@example.com' })
  const link = uidAndTokenIn((await mails()).at(-1))
  await post('/password/reset/confirm', { ...link, new_password1: 'N3w-secret-password' })
  t.same(types().slice(2), ['email_verified', 'password_reset_requested', 'password_reset_requested', 'password_reset'])
  t.match(heard[3], { userPk: null, identifier: 'a…@e….com' }, 'the request does not tell whether there is a user')
})

story('a limit is an event that is not stored', async (t, build) => {
  const { app, post, types, heard } = await buildWithEvents(t, build, { limits: { login: ['2/1m/ip'] } })
  for (let attempt = 0; attempt < 4; attempt++) await post('/login', { email: alice.email, password })
  t.same(types(), ['login_failed', 'login_failed', 'limit_exceeded', 'limit_exceeded'])
  t.match(heard[2], { action: 'login', ip: '127.0.0.1', userPk: null })
  t.same((await app.restAuth.events.list()).map(({ type }) => type), ['login_failed', 'login_failed'])
})

story('a change that is rolled back records no event', async (t, build) => {
  // The hook runs when the event is recorded already.
  const passwordChanged = async () => { throw new Error('rolled back') }
  const { app, post, register, types } = await buildWithEvents(t, build, { hooks: { passwordChanged } })
  const { access } = await register()
  const change = { old_password: password, new_password1: 'N3w-secret-password' }
  t.equal((await post('/password/change', change, { token: access, fault: true })).statusCode, 500)
  t.same(types(), ['user_registered', 'login_succeeded'])
  t.equal((await app.restAuth.events.list()).length, 2)
})

story('a hook that fails is logged, and changes no response', async (t, build) => {
  const built = await build(t, {
    options: { account: { emailVerification: 'optional' }, hooks: { event: () => { throw new Error('no metrics') } } }
  })
  await built.register()
  await built.app.close()
  t.equal(built.logs.filter(line => line.includes('the hook \\"event\\" failed')).length, 2)
})

story('the app waits for its hooks when it closes', async (t, build) => {
  let finish = () => {}
  const finished: string[] = []
  const event = async ({ type }: AuthEvent) => {
    await new Promise<void>(resolve => { finish = resolve })
    finished.push(type)
  }
  const { app, post } = await build(t, { options: { hooks: { event } } })
  await post('/login', { email: alice.email, password })
  const closed = app.close().then(() => finished.push('closed'))
  finish()
  await closed
  t.same(finished, ['login_failed', 'closed'])
})

story('users read their own events in pages, newest first', async (t, build) => {
  const { get, post, register } = await buildWithEvents(t, build)
  const { access } = await register()
  await register({ email: 'bob@example.com', phone_number: '+15550101' })
  for (let attempt = 0; attempt < 3; attempt++) await post('/login', { email: alice.email, password: 'A-wr0ng-one' })
  const read = async (query = '') => await get(`/events${query}`, { token: access })
  const all = (await read()).json()
  t.same(all.map(({ type }: AuthEvent) => type), [
    'login_failed', 'login_failed', 'login_failed', 'login_succeeded', 'user_registered'
  ])
  t.match(all[3], { outcome: 'success', ip: '127.0.0.1', user_agent: 'lightMyRequest', session_id: String })
  const first = (await read('?limit=2')).json()
  const second = (await read(`?limit=2&after=${first[1].id}`)).json()
  const third = (await read(`?limit=2&after=${second[1].id}`)).json()
  t.same([...first, ...second, ...third], all)
  for (const query of ['?limit=0', '?limit=101', '?limit=x', '?limit=1.5', '?after=x', '?after=%00', '?limit=-1']) {
    const answer = await read(query)
    t.equal(answer.statusCode, 400, query)
    t.match(answer.json(), { code: 'validation_error', errors: [{ field: /^(limit|after)$/ }] })
  }
  t.equal((await get('/events')).statusCode, 401)
})

story('without the option audit there is no table to read', async (t, build) => {
  const { app, get, register } = await buildWithEvents(t, build, { audit: false })
  const { access } = await register()
  t.equal((await get('/events', { token: access })).statusCode, 404)
  await t.rejects(app.restAuth.events.list(), { message: 'events.list: no events are stored; set the option audit' })
  t.notOk(Object.keys(Object(app.restAuth.openapi().paths)).includes('/auth/events'))
})

story('events are deleted after their time', async (t, build, { dialect }) => {
  const database = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const { app, register, post, clock } = await buildWithEvents(t, build, { audit: { retention: 86400 } }, database)
  await register()
  clock.advance(86399)
  await post('/login', { email: alice.email, password })
  t.match(await app.restAuth.sweep(), { events: 0 })
  clock.advance(2)
  t.match(await app.restAuth.sweep(), { events: 2 })
  t.same((await app.restAuth.events.list()).map(({ type }) => type), ['login_succeeded'])
})

story('concurrent requests record one event each', async (t, build) => {
  const { app, post, register, heard } = await buildWithEvents(t, build)
  const { refresh } = await register()
  const wrong = Array.from({ length: 25 }, () => post('/login', { email: alice.email, password: 'A-wr0ng-one' }))
  const logouts = Array.from({ length: 25 }, () => post('/logout', { refresh }))
  await Promise.all([...wrong, ...logouts])
  const count = (type: EventType, events: AuthEvent[]) => events.filter(event => event.type === type).length
  const stored = await app.restAuth.events.list()
  for (const events of [heard, stored]) t.same([count('login_failed', events), count('logged_out', events)], [25, 1])
})

t.test('an identifier is masked, also if it is something else', async t => {
  for (const [identifier, shown] of [
    ['alice@example.com', 'a…@e….com'], ['a@sub.example.co', 'a…@s….co'], ['alice', 'a…'], ['', '…'],
    ['@example.com', '@…'], ['p@ssw0rd.abc', 'p…@s….abc'], ['a@b@example.com', 'a…'],
    ['😀x@example.com', '😀…@e….com'], ['Sup3r-secret-pw', 'S…']
  ] as const) t.equal(masked(identifier), shown, identifier)
})

t.test('the documentation lists every event', async t => {
  const page = readFileSync(new URL('../docs/events.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \|.*\| *(?:`(\w+)` )?\|$/gm)].map(([, type, owasp]) => [type, owasp])
  t.same(rows, (Object.keys(eventTypes) as EventType[]).map(type => [type, eventKindOf(type).owasp]))
})
