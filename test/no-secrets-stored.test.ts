/**
 * An attacker who can read the whole database cannot get into any account: no stored value works as a credential, and
 * no credential is stored. Checked after every step of every flow, with mails waiting and sent.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { keyIn, uidAndTokenIn } from './support/answers.js'
import { alice, password, story, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

type Rows = Array<Record<string, unknown>>

/** Runs SQL on the database directly, without the plugin. */
async function openRaw (t: Test, database: unknown): Promise<(statement: string) => Promise<Rows>> {
  if (typeof database !== 'string') {
    return async statement =>
      ((await (database as PgDatabase<PgQueryResultHKT>).execute(sql.raw(statement))) as { rows: Rows }).rows
  }
  if (!database.startsWith('postgres')) {
    const client = new BetterSqlite3(database, { readonly: true })
    t.teardown(() => client.close())
    return async statement => client.prepare<[], Rows[number]>(statement).all()
  }
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  t.teardown(() => client.end())
  return async statement => (await client.query(statement)).rows
}

/** Every value of every table, as text. */
async function dump (query: (statement: string) => Promise<Rows>, dialect: string): Promise<string[]> {
  const tables = await query(dialect === 'sqlite'
    ? "SELECT name FROM sqlite_master WHERE type = 'table'"
    : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()')
  const rows = await Promise.all(tables.map(({ name }) => query(`SELECT * FROM "${name}"`)))
  return rows.flat().flatMap(row => Object.values(row)).flatMap(texts)
}

/** A value and all that it contains: JSON may come as text or already parsed. */
function texts (value: unknown): string[] {
  if (value instanceof Date) return [value.toISOString()]
  if (value instanceof Uint8Array) {
    return [Buffer.from(value).toString('latin1'), Buffer.from(value).toString('base64url')]
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, inner]) => [name, ...texts(inner)])
  }
  if (typeof value !== 'string') return value === null ? [] : [String(value)]
  return [value, ...(/^[{["]/.test(value) ? texts(parsed(value)) : [])]
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const length = 43

/** What an attacker who read these values could try: each value, and each part of it that is as long as a token. */
function candidates (values: string[]): string[] {
  const parts = values.flatMap(value => value.match(/[\w.~+/=-]{43,}/g) ?? [])
  const windows = parts.flatMap(part =>
    Array.from({ length: part.length - length + 1 }, (_, start) => part.slice(start, start + length))
  )
  return [...new Set([...values, ...parts, ...windows])].filter(value => value !== '')
}

const template = { 'hello.txt': 'Hello, {{ greeting }}', 'hello.subject.txt': 'Hello' }

story('no stored value works as a credential, and no credential is stored', async (t, build, { dialect }) => {
  const folder = dirname(temporaryFile(t))
  for (const [name, text] of Object.entries(template)) writeFileSync(join(folder, name), text)
  const built = await build(t, {
    ...(dialect === 'sqlite' && { database: join(folder, 'auth.sqlite') }),
    options: { account: { emailVerification: 'mandatory' }, mail: { templates: folder } }
  })
  const { app, post, mails, mailServer, clock, app: { restAuth } } = built
  const query = await openRaw(t, built.database)
  const attack = createAttack(built, query)

  const passwords = [password]
  const handedOut = new Set<string>()
  async function check (step: string): Promise<void> {
    for (const { raw, text } of mailServer.mails) {
      for (const [token] of `${raw}${text}`.matchAll(/[\w-]{43,}/g)) handedOut.add(token)
    }
    const stored = await dump(query, dialect)
    const text = stored.join('\n')
    for (const secret of [...handedOut, ...passwords]) {
      t.notOk(text.includes(secret), `${step}: no credential is stored`)
    }
    const found = candidates(stored)
    t.same(await attack(found), [], `${step}: none of ${found.length} values works`)
  }
  const logIn = async (password: string) => {
    const { access, refresh } = (await post('/login', { email: alice.email, password })).json()
    for (const token of [access, refresh, access.split('.')[2]]) handedOut.add(token)
    return { access, refresh }
  }
  const later = async (seconds: number) => {
    clock.advance(seconds)
    await mails()
  }

  // The mail has arrived while its row still waits, so its link works.
  mailServer.mode = 'lose-answer'
  await post('/registration', alice)
  await check('registered, the mail not tried yet')
  await mails()
  t.equal(mailServer.mails.length, 1)
  await check('registered, the mail waiting')
  mailServer.mode = 'ok'
  await later(31)
  await check('registered, the mail sent')
  clock.advance(181)
  await post('/registration/resend-email', { email: alice.email })
  await mails()
  await check('asked for another mail')
  const key = keyIn(mailServer.mails.at(-1))
  t.equal((await post('/registration/verify-email', { key })).statusCode, 200)
  await check('confirmed')
  const { access } = await logIn(password)
  await check('logged in')

  mailServer.mode = 'lose-answer'
  await post('/password/reset', { email: alice.email })
  await mails()
  await check('asked for a reset, the mail waiting')
  mailServer.mode = 'ok'
  await later(31)
  await check('asked for a reset, the mail sent')
  const { uid, token } = uidAndTokenIn(mailServer.mails.at(-1))
  passwords.push('Brand-new-pw-1')
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: passwords[1] })).statusCode, 200)
  await check('reset')
  t.equal((await built.get('/user', { token: access })).statusCode, 401)
  const session = await logIn('Brand-new-pw-1')
  passwords.push('Changed-once-more-1')
  const change = { old_password: passwords[1], new_password1: passwords[2] }
  t.equal((await post('/password/change', change, { token: session.access })).statusCode, 200)
  await check('changed')
  await mails()

  mailServer.mode = 'refuse-connection'
  passwords.push('another-Passw0rd')
  await post('/registration', { ...alice, password1: passwords[3] })
  await mails()
  await check('registered again, the mail waiting')
  await restAuth.mail.send('hello', { pk: uid }, { greeting: 'with "values" and <markup>' })
  await mails()
  await check('a mail of the app\'s own, waiting')
  mailServer.mode = 'reject-data'
  // Some mail servers quote the link that they reject.
  mailServer.refusal =
    '5.7.1 https://localhost:3000/auth/password/reset/confirm/x/Q8sYtX2uKzH6bEfGd9PaVomWqv0LrN4cJ8sYtX2uKzH is spam'
  handedOut.add('Q8sYtX2uKzH6bEfGd9PaVomWqv0LrN4cJ8sYtX2uKzH')
  await later(31)
  t.equal((await restAuth.mail.list({ state: 'failed' })).length, 2)
  await check('mails given up')
  mailServer.mode = 'ok'
  t.equal(await restAuth.mail.retry(), 2)
  await mails()
  await logIn('Changed-once-more-1')
  await post('/registration', { ...alice, email: 'bob@example.com' })
  await mails()
  await check('all of it sent')
  t.ok(handedOut.size >= 12, 'the mails and answers had credentials')

  // The attack does find working credentials; otherwise the checks above would prove nothing.
  await post('/password/reset', { email: alice.email })
  await mails()
  const { token: live } = uidAndTokenIn(mailServer.mails.at(-1))
  const { access: bearer } = await logIn('Changed-once-more-1')
  t.equal((await attack([bearer])).length, 2, 'as a bearer token, and at logout, which ends the session of either')
  const { refresh } = await logIn('Changed-once-more-1')
  t.same((await attack([refresh])).length, 1)
  t.same((await attack([live])).length, 1)
  t.same((await attack(['Changed-once-more-1'])).length, 0, 'the reset attack has replaced it')
  await app.close()
})

/** Tries the values as every kind of credential; returns those that worked, and where. */
function createAttack ({ app }: BuiltApp, query: (statement: string) => Promise<Rows>) {
  const post = async (path: string, payload: object) =>
    await app.inject({ method: 'POST', url: `/auth/${path}`, payload })
  const count = async () => Number((await query('SELECT count(*) AS count FROM sessions'))[0]?.count)

  return async (values: string[]): Promise<string[]> => {
    const users = await query('SELECT pk, email FROM users')
    const worked: string[] = []
    const expectRefusal = ({ statusCode }: { statusCode: number }, refusals: number[], what: string) => {
      if (!refusals.includes(statusCode)) worked.push(what)
    }
    for (const value of values) {
      const authorization = `Bearer ${value.replace(/[^\x20-\x7e]/g, '')}`
      expectRefusal(await app.inject({ url: '/auth/user', headers: { authorization } }), [401], `bearer ${value}`)
      expectRefusal(await post('registration/verify-email', { key: value }), [400, 404], `key ${value}`)
      for (const { pk, email } of users) {
        const reset = { uid: pk, token: value, new_password1: 'Mallory-was-here-1' }
        expectRefusal(await post('password/reset/confirm', reset), [400], `reset ${value}`)
        expectRefusal(await post('login', { email, password: value }), [400], `password ${value}`)
      }
    }
    const before = await count()
    for (const value of values) {
      await post('logout', { refresh: value })
      if (before > 0 && await count() < before) {
        worked.push(`refresh ${value}`)
        break
      }
    }
    return worked
  }
}
