/**
 * Whoever reads the whole database gets into no account by it: nothing that is stored works as a credential,
 * and nothing that was handed out is stored. Asked after every step of every flow, with mails waiting and sent.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { alice, password, story, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

type Rows = Array<Record<string, unknown>>

/** Runs SQL past the plugin, on whatever its database is. */
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

/** A value and all that is in it: JSON may come as text or as what it stands for. */
function texts (value: unknown): string[] {
  if (value instanceof Date) return [value.toISOString()]
  if (value instanceof Uint8Array) { return [Buffer.from(value).toString('latin1'), Buffer.from(value).toString('base64url')] }
  if (typeof value === 'object' && value !== null) { return Object.entries(value).flatMap(([name, inner]) => [name, ...texts(inner)]) }
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

/** What somebody who read these values could try: each, and each part of one that is as long as a token. */
function candidates (values: string[]): string[] {
  const parts = values.flatMap(value => value.match(/[\w.~+/=-]{43,}/g) ?? [])
  const windows = parts.flatMap(part =>
    Array.from({ length: part.length - length + 1 }, (_, start) => part.slice(start, start + length))
  )
  return [...new Set([...values, ...parts, ...windows])].filter(value => value !== '')
}

const template = { 'hello.txt': 'Hello, {{ greeting }}', 'hello.subject.txt': 'Hello' }

story('nothing in the database opens an account, and nothing that opens one is in it', async (t, build, { dialect }) => {
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
    for (const { raw, text } of mailServer.mails) { for (const [token] of `${raw}${text}`.matchAll(/[\w-]{43,}/g)) handedOut.add(token) }
    const stored = await dump(query, dialect)
    const text = stored.join('\n')
    for (const secret of [...handedOut, ...passwords]) { t.notOk(text.includes(secret), `${step}: what was handed out is not stored`) }
    const found = candidates(stored)
    t.same(await attack(found), [], `${step}: of ${found.length} values none works`)
  }
  const newest = (pattern: RegExp) => pattern.exec(mailServer.mails.at(-1)?.text ?? '')?.slice(1) ?? []
  const logIn = async (password: string) => {
    const { access, refresh } = (await post('/login', { email: alice.email, password })).json()
    for (const token of [access, refresh, access.split('.')[2]]) handedOut.add(token)
    return { access, refresh }
  }
  const later = async (seconds: number) => {
    clock.advance(seconds)
    await mails()
  }

  // The mail has come while its row still waits: its link is good.
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
  const [key] = newest(/account-confirm-email\/([\w-]{43})/)
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
  const [uid, token] = newest(/confirm\/([^/\s]+)\/([\w-]{43})/)
  passwords.push('Brand-new-pw-1')
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: passwords[1] })).statusCode, 200)
  await check('reset')
  t.equal((await built.get('/user', { token: access })).statusCode, 401)
  const session = await logIn('Brand-new-pw-1')
  passwords.push('Changed-once-more-1')
  t.equal(
    (
      await post(
        '/password/change',
        { old_password: passwords[1], new_password1: passwords[2] },
        { token: session.access }
      )
    ).statusCode,
    200
  )
  await check('changed')
  await mails()

  mailServer.mode = 'refuse-connection'
  passwords.push('another-Passw0rd')
  await post('/registration', { ...alice, password1: passwords[3] })
  await mails()
  await check('registered again, the mail waiting')
  await restAuth.mail.send('hello', { pk: uid ?? '' }, { greeting: 'with "values" and <markup>' })
  await mails()
  await check('a mail of the app\'s own, waiting')
  mailServer.mode = 'reject-data'
  // As some do, it says what was wrong with which link.
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
  t.ok(handedOut.size >= 12, 'what is looked for was found')

  // The attack does find what works: all of it would else prove nothing.
  await post('/password/reset', { email: alice.email })
  await mails()
  const [, live = ''] = newest(/confirm\/([^/\s]+)\/([\w-]{43})/)
  const { access: bearer, refresh } = await logIn('Changed-once-more-1')
  t.same((await attack([bearer])).length, 1)
  t.same((await attack([refresh])).length, 1)
  t.same((await attack([live])).length, 1)
  t.same((await attack(['Changed-once-more-1'])).length, 0, 'the reset has replaced it')
  await app.close()
})

/** Tries values in the place of every credential there is; answers with those that worked, and where. */
function createAttack ({ app }: BuiltApp, query: (statement: string) => Promise<Rows>) {
  const post = async (path: string, payload: object) =>
    await app.inject({ method: 'POST', url: `/auth/${path}`, payload })
  const count = async () => Number((await query('SELECT count(*) AS count FROM sessions'))[0]?.count)

  return async (values: string[]): Promise<string[]> => {
    const users = await query('SELECT pk, email FROM users')
    const worked: string[] = []
    const judge = (isRight: boolean, what: string) => { if (!isRight) worked.push(what) }
    for (const value of values) {
      const header = value.replace(/[^\x20-\x7e]/g, '')
      judge(
        (await app.inject({ url: '/auth/user', headers: { authorization: `Bearer ${header}` } })).statusCode === 401,
        `bearer ${value}`
      )
      judge([400, 404].includes((await post('registration/verify-email', { key: value })).statusCode), `key ${value}`)
      for (const { pk, email } of users) {
        judge(
          (await post('password/reset/confirm', { uid: pk, token: value, new_password1: 'Mallory-was-here-1' }))
            .statusCode === 400,
          `reset ${value}`
        )
        judge((await post('login', { email, password: value })).statusCode === 400, `password ${value}`)
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
