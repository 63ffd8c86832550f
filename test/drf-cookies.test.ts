/**
 * The cookies of dj-rest-auth: with `errors: 'drf'` and `tokens.cookies` every recorded request of
 * fixtures/dj-rest-auth-cookies.jsonl is answered as dj-rest-auth 7 answered it, but for the table below.
 *
 * In the recordings cookies stand without their values and `expires`, attributes in alphabetical order.
 * `JWT_AUTH_REFRESH_COOKIE_PATH` has no counterpart: both cookies have one path.
 */
import { readFileSync } from 'node:fs'
import type { LightMyRequestResponse } from 'fastify'
import { alice, password, story, t, type BuiltApp, type Test } from './support/build.js'
import { comparable } from './support/dj-rest-auth-replay.js'

interface Recording {
  name: string
  profile: 'article' | 'full' | 'bodyrefresh' | 'csrf' | 'csrfall' | 'session'
  request: { method: 'GET' | 'POST' | 'PATCH', path: string, headers?: Record<string, string>, body?: object }
  response: { status: number, cookies: string[], body: unknown }
}
const recordings: Recording[] = readFileSync(new URL('fixtures/dj-rest-auth-cookies.jsonl', import.meta.url), 'utf8')
  .trim().split('\n').map(line => JSON.parse(line))

const user = { email: alice.email, gender: 'F', phone_number: '+15550100' }
const required = ['This field is required.']
const loggedOut = { detail: 'Successfully logged out.' }
const invalid = {
  detail: 'Given token not valid for any token type',
  code: 'token_not_valid',
  messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is invalid' }]
}

const why = {
  stale: 'dj-rest-auth\'s defect: stale credentials stop no public route here',
  logout: 'logout is idempotent: missing, used or unknown tokens are no error',
  ended: 'a session ends on the server, whichever token names it',
  registered: 'dj-rest-auth\'s defect: registration logs in without a cookie, and shows the refresh token',
  repeated: 'password2 is optional, and must match if sent',
  session: 'a response of a login has the user, and there are no other cookies than the session\'s',
  continues: 'the session that changed the password continues with the same cookie',
  status: 'requests without a valid session get a 401, and the cookie stays',
  kept: 'a refresh token that stays the same gets a later expiration, and so does its cookie',
  csrf: 'there is no CSRF token: a JSON request of the app\'s own origin is none that another site could send'
}

/** What we answer instead, and why; cookies where they differ. */
const differences: Record<string, { why: string, status: number, body: unknown, cookies?: string[] }> = {
  'full.logout.no_refresh_cookie': { why: why.logout, status: 200, body: loggedOut },
  'full.logout.replay': { why: why.logout, status: 200, body: loggedOut },
  'full.logout.nothing': { why: why.logout, status: 200, body: loggedOut },
  'bodyrefresh.logout.cookie_only': { why: why.logout, status: 200, body: loggedOut },
  'set.norotate.refresh': { why: why.kept, status: 200, body: {}, cookies: ['my-app-auth', 'my-refresh-token'] },
  'session.register.bad': {
    why: why.repeated,
    status: 400,
    body: { email: required, password1: required, gender: required, phone_number: required }
  },
  'session.register.ok': { why: why.session, status: 201, body: { user }, cookies: ['sessionid'] },
  'session.password_change.ok': {
    why: why.continues,
    status: 200,
    body: { detail: 'New password has been saved.' },
    cookies: []
  },
  'session.user.get_after_change': { why: why.continues, status: 200, body: user, cookies: [] },
  'session.user.get_after_logout': { why: why.status, status: 401, body: { detail: 'Invalid token.' }, cookies: [] },
  'login.with_expired_cookie': {
    why: why.stale,
    status: 200,
    body: { user },
    cookies: ['my-app-auth', 'my-refresh-token']
  },
  'login.with_garbage_cookie': {
    why: why.stale,
    status: 200,
    body: { user },
    cookies: ['my-app-auth', 'my-refresh-token']
  },
  'logout.ok_cookie': {
    why: 'there always is a refresh token',
    status: 200,
    body: loggedOut,
    cookies: ['my-app-auth', 'my-refresh-token']
  },
  'logout.access_still_valid_after': { why: why.ended, status: 401, body: invalid },
  'set.cookie_flags.register': {
    why: why.registered,
    status: 201,
    body: { user },
    cookies: ['my-app-auth', 'my-refresh-token']
  },
  'csrf.register': { why: why.registered, status: 201, body: { user }, cookies: ['my-app-auth', 'my-refresh-token'] },
  'csrf.patch_cookie_no_csrf_cookie': { why: why.csrf, status: 200, body: { ...user, gender: 'M' } },
  'csrf.patch_cookie_no_token': { why: why.csrf, status: 200, body: { ...user, gender: 'M' } },
  'csrf.patch_cookie_bad_token': { why: why.csrf, status: 200, body: { ...user, gender: 'M' } },
  'csrf.patch_garbage_cookie': { why: why.csrf, status: 401, body: invalid },
  'csrfall.register_no_token': {
    why: why.csrf,
    status: 201,
    body: { user },
    cookies: ['my-app-auth', 'my-refresh-token']
  },
  'csrfall.login_no_token': { why: why.csrf, status: 200, body: { user }, cookies: ['my-app-auth', 'my-refresh-token'] }
}

const names = { access: 'my-app-auth', refresh: 'my-refresh-token' }
/** How the recordings call the token in a cookie. */
const tokenIn: Record<string, string> = {
  'my-app-auth': 'access', 'my-refresh-token': 'refresh', sessionid: 'session'
}
const lifetimes = { access: 300, refresh: { idle: 86400 } }
// dj-rest-auth asks for no CSRF token by default.
const tokens = (cookies: object, { csrf = false, rotate = true } = {}) => ({
  errors: 'drf',
  tokens: {
    ...lifetimes, refresh: { ...lifetimes.refresh, rotate }, csrf, cookies: { ...names, sameSite: 'lax', ...cookies }
  }
})

const scenes: Record<string, { of: string[], options: object, isRegistered: boolean }> = {
  'an app that keeps both tokens in cookies': { of: ['full.'], options: tokens({}), isRegistered: true },
  'an app with sessions': {
    of: ['session.'],
    options: {
      errors: 'drf',
      password: { requireOld: false },
      tokens: {
        format: 'opaque',
        refresh: { idle: 14 * 86400 },
        csrf: false,
        cookies: { access: 'sessionid', secure: false, sameSite: 'lax' }
      }
    },
    isRegistered: false
  },
  'an app whose refresh tokens stay': {
    of: ['set.norotate.'],
    options: tokens({}, { rotate: false }),
    isRegistered: true
  },
  'an app whose logout takes the refresh token from the body': {
    of: ['bodyrefresh.'],
    options: tokens({}),
    isRegistered: true
  },
  'the article\'s app': { of: ['login.', 'user.', 'logout.'], options: tokens({ secure: false }), isRegistered: true },
  'an app whose cookies are shared with other hosts and sites': {
    of: ['set.cookie_flags.'],
    options: tokens({ domain: '.example.com', sameSite: 'none' }, { csrf: true }),
    isRegistered: false
  },
  'an app that refuses forgeries': { of: ['csrf.'], options: tokens({}, { csrf: true }), isRegistered: false },
  'an app that refuses forged logins': { of: ['csrfall.'], options: tokens({}, { csrf: true }), isRegistered: false }
}

const isOf = ({ of }: { of: string[] }) => ({ name }: Recording) => of.some(start => name.startsWith(start))

for (const [title, scene] of Object.entries(scenes)) {
  story(`${title}: cookies and answers equal dj-rest-auth's, except for the table`, async (t, build) => {
    const app = await build(t, { options: scene.options })
    const known: Record<string, string> = {}
    if (scene.isRegistered) {
      keep(known, await app.post('/registration', alice))
      known.expired = known.access ?? ''
      app.clock.advance(lifetimes.access)
      keep(known, await app.post('/login', { email: alice.email, password }))
    }
    for (const recording of recordings.filter(isOf(scene))) await replay(t, app, recording, known)
  })
}

t.test('every recording is replayed once, and every entry of the table differs from its recording', async t => {
  for (const recording of recordings) {
    t.equal(Object.values(scenes).filter(scene => isOf(scene)(recording)).length, 1, recording.name)
  }
  for (const [name, { status, body, cookies }] of Object.entries(differences)) {
    const { response } = recordings.find(recording => recording.name === name) ?? {}
    const recorded = [response?.status, comparable(response?.body), response?.cookies.map(nameOf)]
    t.strictNotSame([status, body, cookies ?? recorded[2]], recorded, name)
  }
})

function keep (known: Record<string, string>, { cookies }: LightMyRequestResponse): void {
  for (const { name, value } of cookies) if (value !== '') known[tokenIn[name] ?? ''] = value
}

async function replay (
  t: Test, { call }: BuiltApp, { name, request, response }: Recording, known: Record<string, string>
): Promise<void> {
  const filled = JSON.stringify(request).replace(/<(\w+)>/g, (_all, which: string) => known[which] ?? '')
  const { method, path, headers = {}, body }: Recording['request'] = JSON.parse(filled)
  // The recordings were made without a browser, which says where a request comes from.
  const site = method === 'POST' && !body ? { 'sec-fetch-site': 'same-origin' } : {}
  const answer = await call(method, path, { headers: { ...headers, ...site }, ...(body && { body }) })
  const { why, status, body: expected, cookies }: (typeof differences)[string] =
    differences[name] ?? { why: 'as dj-rest-auth', status: response.status, body: comparable(response.body) }
  const told = `${name}: ${why}`
  t.equal(answer.statusCode, status, told)
  t.same(comparable(answer.json()), expected, told)
  const set = [answer.headers['set-cookie'] ?? []].flat()
  if (cookies) {
    t.same(set.map(nameOf), cookies, told)
  } else {
    t.same(
      set.map(attributesOf),
      response.cookies.map(line => line.replace('Path=/dj-rest-auth/', 'Path=/')).map(attributesOf), told
    )
  }
  keep(known, answer)
}

const nameOf = (line: string) => line.split('=')[0]

/** A deletion by its name: what we take back has all attributes, what Django takes back lacks some. */
function attributesOf (line: string): string {
  const [pair = '', ...attributes] = line.split('; ')
  const [name, value] = pair.split('=')
  return value === '' ? `${name}=` : [`${name}=…`, ...attributes.sort()].join('; ')
}
