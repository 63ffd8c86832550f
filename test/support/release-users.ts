/** The users of a release's database: they are made by the release itself, over HTTP where it can. */
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { keyIn, uidAndTokenIn } from './answers.js'
import { password, type ReleaseApp, type ReleaseUser } from './releases.js'

interface Tools extends ReleaseApp {
  /** Writes a row past the package, as an import does. */
  insert: (table: string, row: Record<string, unknown>) => Promise<void>
  /** Seconds. */
  advance: (seconds: number) => void
}

const created = { gender: 'F', phone_number: '+15550100' }

/** Registers the users, and leaves each of them in another state. */
export async function createReleaseUsers (tools: Tools): Promise<ReleaseUser[]> {
  const sessions = await createSessions(tools)
  return [
    ...sessions, await createUnverified(tools), await createNamed(tools), await createReset(tools),
    await createImported(tools), await createSocial(tools), await createDeactivated(tools)
  ]
}

async function post (tools: Tools, path: string, body: object) {
  const answer = await tools.send('POST', path, body)
  assert.ok(answer.statusCode < 300, `${path}: ${answer.body}`)
  return answer.json()
}

/** Registers a user; returns the key of the confirmation mail. */
async function register (tools: Tools, email: string, fields: object = {}): Promise<string> {
  await post(tools, '/registration', { email, password1: password, ...created, ...fields })
  return keyIn((await tools.mails()).at(-1))
}

async function registerVerified (tools: Tools, email: string, fields: object = {}): Promise<void> {
  await post(tools, '/registration/verify-email', { key: await register(tools, email, fields) })
}

async function createSessions (tools: Tools): Promise<ReleaseUser[]> {
  const login = { email: 'alice@example.com', password }
  const fields = { newsletter: true, address: { city: 'Ålesund' }, points: 7, badge: 'A1' }
  await registerVerified(tools, login.email, fields)
  const [first, second] = [await post(tools, '/login', login), await post(tools, '/login', login)]
  const next = await post(tools, '/token/refresh', { refresh: second.refresh })
  // Beyond the grace period, in which a spent token is no theft.
  tools.advance(60)
  const user = { email: login.email, ...created, ...fields }
  return [
    { kind: 'verified', login, user },
    { kind: 'with an open session', refresh: first.refresh, user },
    { kind: 'whose refresh token was stolen', spent: second.refresh, successor: next.refresh }
  ]
}

async function createUnverified (tools: Tools): Promise<ReleaseUser> {
  const login = { email: 'bob@example.com', password }
  const verificationKey = await register(tools, login.email)
  return { kind: 'unverified', login, refusal: 'email_not_verified', verificationKey }
}

async function createNamed (tools: Tools): Promise<ReleaseUser> {
  const username = 'Weiß'
  await registerVerified(tools, 'carol@example.com', { username, newsletter: false })
  return { kind: 'with a username', login: { username: 'WEISS', password }, user: { username, newsletter: false } }
}

async function createReset (tools: Tools): Promise<ReleaseUser> {
  const email = 'frank@example.com'
  await registerVerified(tools, email)
  await post(tools, '/password/reset', { email })
  return {
    kind: 'with a link to reset the password',
    login: { email, password },
    reset: uidAndTokenIn((await tools.mails()).at(-1))
  }
}

/** Half of the iterations of Django 5.2, so that the tests take less time. */
const iterations = 500_000

async function createImported (tools: Tools): Promise<ReleaseUser> {
  const login = { email: 'django@example.com', password }
  const hash = pbkdf2Sync(password, 'AtSaltOfDjango', iterations, 32, 'sha256').toString('base64')
  await tools.insert('users', {
    pk: '42',
    email: login.email,
    email_verified: true,
    password_hash: `pbkdf2_sha256$${iterations}$AtSaltOfDjango$${hash}`,
    is_active: true,
    created_at: new Date(Date.UTC(2020, 0, 1)),
    gender: 'NS'
  })
  return { kind: 'imported from Django', login, user: { pk: '42', gender: 'NS' } }
}

async function createSocial (tools: Tools): Promise<ReleaseUser> {
  const providerToken = 'dora'
  const { access } = await post(tools, '/hub', { access_token: providerToken })
  const completed = await tools.send('PATCH', '/user', created, access)
  assert.equal(completed.statusCode, 200, completed.body)
  return { kind: 'of a provider', providerToken, user: { email: 'dora@example.com', ...created } }
}

async function createDeactivated (tools: Tools): Promise<ReleaseUser> {
  const login = { email: 'eve@example.com', password }
  await registerVerified(tools, login.email)
  const user = await tools.app.restAuth.users.find({ email: login.email })
  await tools.app.restAuth.users.deactivate(String(user?.pk))
  return { kind: 'deactivated', login, refusal: 'invalid_credentials' }
}
