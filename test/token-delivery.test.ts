/**
 * Where tokens travel: every kind of client × every option × every route that returns tokens. The expected cells are
 * the rules of docs/cookies.md in a few lines; `npm test -- test/token-delivery.test.ts` prints the matrix.
 */
import type { LightMyRequestResponse } from 'fastify'
import { keyIn } from './support/answers.js'
import { alice, password, sqliteBuild, t, type BuiltApp } from './support/build.js'
import { withProvider } from './support/social-app.js'

const own = 'http://localhost:3000'
const listed = 'https://front.example'
const csrf = { origins: [listed] }

/** The headers that a client of each kind sends; `jar` says whether it keeps cookies, and `page` whether it is one. */
const clients = {
  page: { page: true, jar: true, headers: { origin: own, 'sec-fetch-site': 'same-origin' } },
  'page of a listed origin': { page: true, jar: true, headers: { origin: listed, 'sec-fetch-site': 'cross-site' } },
  'page in a browser without Sec-Fetch-Site': { page: true, jar: true, headers: { origin: own } },
  'page without a referrer': { page: true, jar: true, headers: { origin: 'null', 'sec-fetch-site': 'same-origin' } },
  'script that omits cookies': { page: true, jar: false, headers: { origin: own, 'sec-fetch-site': 'same-origin' } },
  'script that asks for JSON as an app': {
    page: true,
    jar: false,
    headers: { 'sec-fetch-site': 'same-origin', 'x-requested-with': 'com.example.app', 'user-agent': 'okhttp/5' }
  },
  'page of another site': { page: true, jar: false, headers: { origin: 'https://evil.example' } },
  app: { page: false, jar: false, headers: {} },
  'app with a cookie of its own': { page: true, jar: true, headers: { cookie: 'balancer=node7' } }
} satisfies Record<string, { page: boolean, jar: boolean, headers: Record<string, string> }>
type ClientName = keyof typeof clients

const settings = {
  bodies: {},
  'bodies, rotate: false': { refresh: { rotate: false } },
  cookies: { cookies: {}, csrf },
  'cookies, rotate: false': { cookies: {}, csrf, refresh: { rotate: false } },
  'cookies.access: false': { cookies: { access: false }, csrf },
  "cookies.apps: 'body'": { cookies: { apps: 'body' }, csrf },
  "cookies.access: false, apps: 'body'": { cookies: { access: false, apps: 'body' }, csrf },
  opaque: { format: 'opaque' },
  'opaque, cookies': { format: 'opaque', cookies: {}, csrf },
  "opaque, cookies.apps: 'body'": { format: 'opaque', cookies: { apps: 'body' }, csrf }
}
type SettingName = keyof typeof settings

interface Setting { cookies?: { access?: boolean, apps?: string }, format?: string, refresh?: object }

/** What the client gets: the names of the tokens in the body, and those in cookies. */
interface Got { body: string[], cookies: string[] }

function expected (setting: SettingName, client: ClientName): Got | 403 {
  const { cookies, format }: Setting = settings[setting]
  const all = format === 'opaque' ? ['key'] : ['access', 'refresh']
  if (!cookies) return { body: all, cookies: [] }
  if (client === 'page of another site') return 403
  if (cookies.apps === 'body' && !clients[client].page) return { body: all, cookies: [] }
  const inBody = cookies.access === false ? ['access'] : []
  return { body: inBody, cookies: all.filter(name => !inBody.includes(name)) }
}

function gotIn (answer: LightMyRequestResponse): Got | number {
  if (answer.statusCode >= 300) return answer.statusCode
  const body = answer.json()
  return {
    body: ['access', 'refresh', 'key'].filter(name => typeof body[name] === 'string' && body[name] !== ''),
    cookies: answer.cookies.filter(({ value }) => value !== '').map(({ name }) => name.replace('__Host-', '')).sort()
  }
}

function shown (cell: Got | number): string {
  if (typeof cell === 'number') return `${cell}`
  const { body, cookies } = cell
  return [body.length > 0 && `body ${body.join('+')}`, cookies.length > 0 && `cookie ${cookies.join('+')}`]
    .filter(Boolean).join(', ')
}

/** Whether the body has anything that looks like a token, under any name. */
const hasToken = ({ body }: LightMyRequestResponse) => /eyJ[\w-]+\.|fra_|"(access|refresh|key)":/.test(body)

interface Client {
  post: (path: string, body?: object) => Promise<LightMyRequestResponse>
  get: (path: string) => Promise<LightMyRequestResponse>
  tokens: Record<string, string>
}

/** Sends tokens back in the way in which it got them. */
function createClient ({ call }: BuiltApp, kind: ClientName): Client {
  const { headers, jar }: { headers: Record<string, string>, jar: boolean } = clients[kind]
  const kept: Record<string, string> = {}
  const tokens: Record<string, string> = {}

  async function send (method: 'GET' | 'POST', path: string, body?: object) {
    const cookie = [headers.cookie, ...Object.entries(kept).map(pair => pair.join('='))].filter(Boolean).join('; ')
    const bearer = tokens.access ?? tokens.key
    const answer = await call(method, path, {
      ...(body && { body }),
      headers: {
        ...headers,
        ...(jar && cookie && { cookie }),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` })
      }
    })
    if (jar) for (const { name, value } of answer.cookies) kept[name] = value
    if (answer.statusCode < 300) {
      const given = answer.json()
      for (const name of ['access', 'refresh', 'key']) if (given[name]) tokens[name] = given[name]
    }
    return answer
  }
  return { post: (path, body) => send('POST', path, body), get: path => send('GET', path), tokens }
}

const routes = ['registration', 'login', 'verify-email', 'social login', 'refresh'] as const

t.test('a token is in a body or in a cookie exactly where the options say, for every client and route', async t => {
  let [cells, unexpected] = [0, 0]
  t.comment(`| option | client | ${routes.join(' | ')} |`)
  for (const setting of Object.keys(settings) as SettingName[]) {
    const app = await withProvider(t, sqliteBuild, {
      tokens: settings[setting],
      account: {
        username: 'none', emailVerification: 'optional', loginOnEmailConfirmation: true
      }
    })
    for (const [index, client] of (Object.keys(clients) as ClientName[]).entries()) {
      const email = `user${index}@example.com`
      const right = expected(setting, client)
      const row: string[] = []
      for (const route of routes) {
        if (route === 'refresh' && setting.startsWith('opaque')) continue
        const answer = await answerOf(app, route, client, email)
        const got = gotIn(answer)
        // Without a cookie there is nothing to refresh: the client has to log in again.
        const isLost =
          route === 'refresh' && !clients[client].jar && typeof right === 'object' && right.cookies.includes('refresh')
        const wanted = isLost ? 401 : right
        cells++
        if (shown(got) !== shown(wanted)) unexpected++
        t.equal(shown(got), shown(wanted), `${setting} × ${client} × ${route}: ${answer.body}`)
        if (typeof got === 'object' && got.body.length === 0) t.notOk(hasToken(answer), 'no token under another name')
        if (typeof got === 'object' && got.cookies.length === 0) t.same(answer.cookies, [], 'no cookie at all')
        row.push(shown(got))
      }
      t.comment(`| ${setting} | ${client} | ${row.join(' | ')} |`)
    }
  }
  t.comment(`| ${cells} cells, ${unexpected} unexpected |`)
  t.equal(cells, (7 * 5 + 3 * 4) * Object.keys(clients).length)
})

async function answerOf (
  app: Awaited<ReturnType<typeof withProvider>>, route: typeof routes[number], kind: ClientName, email: string
): Promise<LightMyRequestResponse> {
  const client = createClient(app, kind)
  if (route === 'registration') return await client.post('/registration', { ...alice, email })
  if (route === 'login') {
    const { gender, phone_number } = alice
    await app.app.restAuth.users.create({ email: `other.${email}`, password, gender, phone_number } as never)
    return await client.post('/login', { email: `other.${email}`, password })
  }
  if (route === 'verify-email') {
    const address = `verified.${email}`
    await createClient(app, 'page').post('/registration', { ...alice, email: address })
    const mail = (await app.mails()).findLast(({ to }) => String(to).includes(address))
    return await client.post('/registration/verify-email', { key: keyIn(mail) })
  }
  if (route === 'social login') {
    app.openid.people[email] = { email: `social.${email}`, email_verified: true }
    return await client.post('/company', { id_token: await app.openid.issueIdToken({ person: email }) })
  }
  await client.post('/login', { email: `other.${email}`, password })
  return await client.post('/token/refresh', client.tokens.refresh ? { refresh: client.tokens.refresh } : {})
}
