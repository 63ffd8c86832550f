/** `fastify-rest-auth import django`, from a database that Django 5.2 and allauth have made. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { asc, count, getTableName } from 'drizzle-orm'
import { importCommand } from '../src/cli/import-django.js'
import { openSource } from '../src/cli/django/open-source.js'
import type { Report } from '../src/cli/django/report.js'
import { migrateCommand } from '../src/cli/migrate.js'
import type { Database } from '../src/db/database.js'
import { openDatabase } from '../src/db/open.js'
import { github as githubProvider } from '../src/providers/github.js'
import { openDatabaseOf, settingsOf } from '../src/cli/database.js'
import { findUser } from '../src/store/users.js'
import { articleOptions, loaders, story, t, type Test } from './support/build.js'
import { makeOwnTable, sqlite, temporaryFile, type TestedDatabase } from './support/databases.js'
import { articleSource, copyToPostgres, knownUsers, largeSource, sourceWith } from './support/django.js'
import { startOpenidProvider } from './support/openid-provider.js'
import { startGithub } from './support/providers/github.js'

const client = { clientId: 'x', clientSecret: 'y' }
const isLong = process.env.LARGE_IMPORT !== undefined

type ImportFlags = Parameters<typeof importCommand>[2]

/** A migrated database, the options for it, and what an import stores there. */
async function withTarget (t: Test, tested: TestedDatabase, given: object = {}) {
  const { database, close } = tested.dialect === 'sqlite'
    ? { database: temporaryFile(t), close: async () => {} }
    : await tested.open()
  t.teardown(close)
  const options = { social: { github: client }, ...articleOptions, ...given, database }
  await migrateCommand(options, false)
  const db = await openDatabase(database, settingsOf(options).fields, () => {})
  t.teardown(() => db.close())
  const importFrom = async (source: string, flags: ImportFlags = {}): Promise<Report> =>
    // As JSON, so that what `--json` leaves out is missing here, too.
    JSON.parse(JSON.stringify((await importCommand(source, options, flags)).data))
  return { options, database, db, importFrom, rows: async () => await rowsOf(db) }
}

/** What is stored, without the random IDs of the social accounts. */
async function rowsOf ({ orm, users, socialAccounts }: Database) {
  const accounts = await orm.select().from(socialAccounts)
    .orderBy(asc(socialAccounts.issuer), asc(socialAccounts.subject))
  return {
    users: await orm.select().from(users).orderBy(asc(users.pk)),
    accounts: accounts.map(({ id: _id, ...account }) => account)
  }
}

interface DjangoUser {
  id: number
  email: string
  password: string
  is_active: number
  date_joined: string
  last_login: string | null
  gender: string
  phone_number: string
}

const inMs = (time: string) => new Date(`${time.slice(0, 23).replace(' ', 'T')}Z`)

story('every user of Django is stored with their history, and logs in with their password', async (
  t, build, tested
) => {
  const { database, db, importFrom, rows } = await withTarget(t, tested)
  const source = articleSource(t)
  t.match(await importFrom(source), {
    table: 'users_customuser',
    users: { read: 1000, stored: 1000, already_there: 0, skipped: [] },
    unreadable_passwords: [],
    social_accounts: { read: 132, stored: 132, already_there: 0, skipped: [] },
    other_addresses: 100,
    ignored_columns: ['is_superuser', 'first_name', 'last_name', 'is_staff']
  })
  const client = new BetterSqlite3(source)
  const django = client.prepare<[], DjangoUser>('SELECT * FROM users_customuser').all()
  const verified = new Set(
    client.prepare('SELECT user_id FROM account_emailaddress WHERE verified AND "primary"').pluck().all()
  )
  client.close()
  const stored = new Map((await rows()).users.map(row => [row.pk, row]))
  for (const user of django) {
    t.match(stored.get(String(user.id)), {
      email: user.email.toLowerCase(),
      emailVerified: verified.has(user.id),
      passwordHash: user.password.startsWith('!') ? null : user.password,
      isActive: user.is_active === 1,
      createdAt: inMs(user.date_joined),
      lastLogin: user.last_login === null ? null : inMs(user.last_login),
      gender: user.gender,
      phone_number: user.phone_number
    })
  }
  const { post } = await build(t, { database })
  await Promise.all([0, 1].map(async lane => {
    for (const { pk, email, active, password } of knownUsers.filter((_, index) => index % 2 === lane)) {
      const expected = active && password !== null ? 200 : 400
      for (const hash of ["Django's", 'our own']) {
        const { statusCode } = await post('/login', { email, password: password ?? '!' })
        t.equal(statusCode, expected, `${email} with ${hash} hash`)
      }
      const row = await findUser(db, String(pk))
      t.equal(row?.passwordHash?.startsWith('$argon2id$') ?? false, expected === 200, 'replaced at login')
    }
  }))
})

story('a PostgreSQL database of Django gives the same as its copy on SQLite', async (t, _build, tested) => {
  const [file, fromFile, fromServer] =
    [articleSource(t), await withTarget(t, tested), await withTarget(t, tested)]
  const url = await copyToPostgres(t, file)
  if (url === undefined) return
  const { source: _file, database: _one, ...report } = await fromFile.importFrom(file)
  const expected = await fromFile.rows()
  t.match(await fromServer.importFrom(url), { ...report, source: url.replace(/\/\/.*@/, '//').replace(/\?.*/, '') })
  t.same(await fromServer.rows(), expected)
})

story('a run that was killed and started again stores what one run stores', async (t, _build, tested) => {
  const [whole, cut] = [await withTarget(t, tested), await withTarget(t, tested)]
  if (typeof cut.database !== 'string') return
  const source = largeSource(t, 5000)
  await whole.importFrom(source)
  const options = optionsFile(t, cut.options)
  const child = spawn(process.execPath, [
    '--import=./scripts/typescript.js', '--conditions=fastify-rest-auth:source', 'src/cli/main.ts',
    'import', 'django', source, '--options', options
  ], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  // Each turn of the event loop may bring the end of the child, which would otherwise not be noticed.
  while (child.exitCode === null && await countUsers(cut.db) < 1000) await setImmediate()
  child.kill('SIGKILL')
  t.same(await ended, [null, 'SIGKILL'])
  const before = await countUsers(cut.db)
  t.equal(before % 500, 0, `${before} users: no page is half stored`)
  t.ok(before < 5000)
  t.match(await cut.importFrom(source), {
    users: { read: 5000, stored: 5000 - before, already_there: before, skipped: [] },
    social_accounts: { read: 1000, stored: 1000 - before / 5, already_there: before / 5, skipped: [] }
  })
  t.same(await cut.rows(), await whole.rows())
})

async function countUsers ({ orm, users }: Database): Promise<number> {
  const [row] = await orm.select({ count: count() }).from(users)
  return row?.count ?? 0
}

/** The options as JSON, which has no types: the schemas of the article are plain JSON Schema then. */
function optionsFile (t: Test, options: object): string {
  const file = temporaryFile(t).replace('auth.sqlite', 'auth.mjs')
  writeFileSync(file, `export const auth = ${JSON.stringify(options)}`)
  return file
}

story('a dry run reports the same and stores nothing', async (t, _build, tested) => {
  const { importFrom, rows, options } = await withTarget(t, tested)
  const source = articleSource(t)
  const { dry_run: isDry, ...dry } = await importFrom(source, { 'dry-run': true })
  t.equal(isDry, true)
  t.same(await rows(), { users: [], accounts: [] })
  const text = (await importCommand(source, options, { 'dry-run': true })).text
  t.match(text, '\nusers: 1000 read, 1000 would be stored, 0 already there, 0 skipped\n')
  t.match(await importFrom(source), dry)
})

story('of two users with one address or username here, the verified one is stored, else the last to log in', async (
  t, _build, tested
) => {
  const { importFrom, rows } = await withTarget(t, tested, { account: { username: 'none' } })
  const source = sourceWith(t, {
    users: [
      { email: 'A@example.com', last_login: '2025-01-01 00:00:00' }, { email: 'a@example.com' },
      { email: 'B@example.com', last_login: '2024-01-01 00:00:00' },
      { email: 'b@example.com', last_login: '2025-01-01 00:00:00' },
      { email: 'C@example.com' }, { email: 'c@Example.com' },
      { email: 'd@bücher.example' }, { email: 'd@xn--bcher-kva.example', last_login: '2025-01-01 00:00:00' }
    ],
    addresses: [{ user_id: 2, email: 'a@example.com' }]
  })
  const { users: { stored, skipped } } = await importFrom(source)
  const reason = 'same address or username as another user'
  t.equal(stored, 4)
  t.same(skipped, [
    { pk: '1', email: 'A…@e….com', reason, kept: '2' },
    { pk: '3', email: 'B…@e….com', reason, kept: '4' },
    { pk: '6', email: 'c…@E….com', reason, kept: '5' },
    { pk: '7', email: 'd…', reason, kept: '8' }
  ])
  t.same((await rows()).users.map(({ pk }) => pk), ['2', '4', '5', '8'])
  t.match((await importFrom(source)).users, { stored: 0, already_there: 4, skipped: { length: 4 } })
})

story('a user who can\'t be stored is reported, and all others are stored', async (t, build, tested) => {
  const { database, options, importFrom, rows } = await withTarget(t, tested)
  const { app } = await build(t, { database })
  await app.restAuth.users.import([{ pk: '1', email: 'here@example.com' }, { email: 'taken@example.com' }])
  const source = sourceWith(t, {
    users: [
      { email: 'one@example.com' }, { email: 'Taken@example.com' }, { email: 'no address' }, { email: '' },
      { email: 'e@example.com', gender: 'X' }, { email: 'f@example.com', gender: '', phone_number: '' },
      { email: 'g@example.com', password: 'md5$salt$hash' }, { email: 'h@example.com', date_joined: 'long ago' }
    ],
    socialAccounts: [{ user_id: 2, provider: 'google', uid: 'g2' }]
  })
  const report = await importFrom(source)
  t.same(report.users, {
    read: 8,
    stored: 2,
    already_there: 0,
    skipped: [
      { pk: '1', email: 'o…@e….com', reason: 'pk: value_taken' },
      { pk: '2', email: 'T…@e….com', reason: 'email: email_taken' },
      { pk: '3', email: 'n…', reason: 'email: invalid_email' },
      { pk: '4', reason: 'email: required' },
      { pk: '5', email: 'e…@e….com', reason: 'gender: invalid_choice' },
      { pk: '8', email: 'h…@e….com', reason: 'created_at: invalid' }
    ]
  })
  t.same(report.unreadable_passwords, [{ pk: '7', email: 'g…@e….com' }])
  t.same(report.social_accounts.skipped, [{ pk: '2', provider: 'google', reason: 'the user was skipped' }])
  t.match((await rows()).users.find(({ pk }) => pk === '6'), { gender: null, phone_number: null, passwordHash: null })
  const text = (await importCommand(source, options, {})).text
  t.match(text, '\nusers: 8 read, 0 stored, 2 already there, 6 skipped\n')
  t.match(text, '\n  gender: invalid_choice (1)\n    5 e…@e….com\n')
})

story('the report as text says whose issuers these are, and sends the terminal no control characters', async (
  t, _build, tested
) => {
  const { options } = await withTarget(t, tested)
  const source = sourceWith(t, {
    users: [{ email: 'a@example.com' }, { email: '\u001b]0;owned\u0007@example.com' }],
    socialAccounts: [
      { user_id: 1, provider: 'github', uid: '1' }, { user_id: 1, provider: '\u001b[2Jx', uid: '2' }
    ]
  })
  const { text } = await importCommand(source, options, { 'dry-run': true })
  t.match(text, '\n  github is https://github.com/login/oauth\n')
  t.match(text, '\n    2 �…@e….com\n')
  t.match(text, 'the option social has no provider �[2Jx')
  t.notMatch(text, /[^\P{Cc}\n]/u)
})

story('users of Django become rows of the app\'s own table', async (t, _build, tested) => {
  const { database, close } = tested.dialect === 'sqlite'
    ? { database: temporaryFile(t), close: async () => {} }
    : await tested.open()
  t.teardown(close)
  if (typeof database !== 'string') return
  await makeOwnTable(database)
  const account = { emailVerification: 'none', table: { name: 'accounts', columns: { email: 'email_address' } } }
  const options = { account, database }
  await migrateCommand(options, false)
  const source = sourceWith(t, { users: [{ email: 'one@example.com' }, { email: 'two@example.com' }] })
  const { data } = await importCommand(source, options, {})
  t.match(data, { users: { read: 2, stored: 2, skipped: [] } })
  const db = await openDatabaseOf(settingsOf(options))
  t.teardown(() => db.close())
  t.equal(getTableName(db.users), 'accounts')
  t.match((await rowsOf(db)).users, [{ pk: '1', email: 'one@example.com' }, { pk: '2', email: 'two@example.com' }])
})

story('columns become user fields of the same name, or of a chosen one', async (t, _build, tested) => {
  const userFields = {
    staff: { schema: Type.Boolean(), registration: 'hidden' },
    first_name: { schema: Type.String({ default: 'nobody' }) },
    born: { schema: Type.Optional(Type.String({ format: 'date' })) },
    seen: { schema: Type.Optional(Type.String({ format: 'date-time' })) },
    score: { schema: Type.Optional(Type.Integer()) },
    ratio: { schema: Type.Optional(Type.Number()) },
    balance: { schema: Type.Optional(Type.String({ format: 'decimal' })) },
    tags: { schema: Type.Optional(Type.Array(Type.String())) }
  } as const
  const source = sourceWith(t, {
    users: [{ email: 'a@example.com', first_name: ' Zoë ', is_staff: 1 }, { email: 'b@example.com' }]
  })
  const client = new BetterSqlite3(source)
  client.exec(`
    ALTER TABLE users_customuser ADD born date; ALTER TABLE users_customuser ADD seen datetime;
    ALTER TABLE users_customuser ADD points integer; ALTER TABLE users_customuser ADD ratio real;
    ALTER TABLE users_customuser ADD balance decimal; ALTER TABLE users_customuser ADD tags text;
    UPDATE users_customuser SET born = '1999-12-31', seen = '2025-01-02 03:04:05.678901', points = 7, ratio = 0.5,
      balance = 12.25, tags = '["a","b"]' WHERE id = 1`)
  client.close()
  const field = ['is_staff=staff', 'points=score']
  const { importFrom, rows } = await withTarget(t, tested, { userFields })
  t.match(await importFrom(source, { field }), {
    users: { stored: 2, skipped: [] },
    ignored_columns: ['is_superuser', 'last_name', 'gender', 'phone_number']
  })
  const expected = [{
    staff: true,
    first_name: 'Zoë',
    born: '1999-12-31',
    seen: '2025-01-02T03:04:05.678Z',
    score: 7,
    ratio: 0.5,
    balance: '12.25',
    tags: ['a', 'b']
  }, {
    staff: false, first_name: '', born: null, seen: null, score: null, ratio: null, balance: null, tags: null
  }]
  t.match((await rows()).users, expected)
})

story('integer keys stay, and new users continue them', async (t, build, tested) => {
  const account = { username: 'none', emailVerification: 'none', pk: 'integer' } as const
  const { database, importFrom } = await withTarget(t, tested, { account })
  await importFrom(sourceWith(t, { users: [{ id: 9, email: 'a@example.com' }, { id: 10, email: 'b@example.com' }] }))
  const { register } = await build(t, { database, options: { account } })
  t.equal((await register()).user.pk as unknown, 11)
})

story('users of Django\'s own kind are known by their usernames, without allauth', async (t, build, tested) => {
  const account = {
    username: 'required', email: 'optional', loginMethods: ['username'], emailVerification: 'none'
  } as const
  const { database, importFrom, rows } = await withTarget(t, tested, { account })
  const source = temporaryFile(t)
  const client = new BetterSqlite3(source)
  client.exec(`
    CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128), last_login datetime, is_superuser bool,
      username varchar(150), first_name varchar(150), last_name varchar(150), email varchar(254), is_staff bool,
      is_active bool, date_joined datetime);
    INSERT INTO auth_user VALUES
      (1, '!', '2025-01-01 00:00:00', 0, 'Ada', '', '', 'ada@example.com', 0, 1, '2024-01-01 00:00:00'),
      (2, '!', NULL, 0, 'ada', '', '', '', 0, 1, '2024-01-01 00:00:00'),
      (3, '!', NULL, 0, 'bob', '', '', '', 0, 0, '2024-01-01 00:00:00'),
      (4, '!', NULL, 0, 'eve', '', '', '', 0, 1, '2024-01-01 00:00:00')`)
  client.close()
  const { table, users } = await importFrom(source)
  t.equal(table, 'auth_user')
  t.same(users, {
    read: 4,
    stored: 3,
    already_there: 0,
    skipped: [{ pk: '2', reason: 'same address or username as another user', kept: '1' }]
  })
  t.match((await rows()).users, [
    { username: 'Ada', email: 'ada@example.com', emailVerified: false, isActive: true },
    { username: 'bob', email: null, isActive: false }, { username: 'eve', email: null }
  ])
  t.match((await importFrom(source)).users, { stored: 0, already_there: 3 })
  const { app } = await build(t, { database, options: { account } })
  t.match(await app.restAuth.users.find({ username: 'EVE' } as never), { pk: '4' })
})

story('a social account logs in as the user who had it in Django', async (t, build, tested) => {
  const [openid, github] = await Promise.all([
    startOpenidProvider(t, { redirectUris: [] }), startGithub(t, { redirectUris: [] })
  ])
  const social = {
    company: { issuer: openid.issuer, clientId: openid.clientId, clientSecret: openid.clientSecret },
    github: {
      provider: { ...githubProvider, endpoints: github.endpoints },
      clientId: github.clientId,
      clientSecret: github.clientSecret,
      accessToken: true
    }
  }
  const source = sourceWith(t, {
    users: [{ email: 'one@example.com' }, { email: 'two@example.com' }],
    socialAccounts: [
      { user_id: 1, provider: 'keycloak', uid: 'alice' }, { user_id: 2, provider: 'github', uid: '583231' }
    ],
    socialApps: [{
      provider: 'openid_connect',
      provider_id: 'keycloak',
      settings: JSON.stringify({ server_url: `${openid.issuer}/.well-known/openid-configuration` })
    }]
  })
  const { database, importFrom, rows } = await withTarget(t, tested, { social })
  t.match(await importFrom(source), { social_accounts: { stored: 2, skipped: [] } })
  const { accounts } = await rows()
  const { post, app, clock } = await build(t, { database, options: { social } })
  openid.clock = github.clock = clock
  const idToken = await openid.issueIdToken({ person: 'alice' })
  t.equal((await post('/company', { id_token: idToken })).json().user.pk, '1')
  const accessToken = github.issueToken({ person: 'alice' })
  t.equal((await post('/github', { access_token: accessToken })).json().user.pk, '2')
  t.same((await rows()).accounts.map(({ lastLogin: _last, ...rest }) => rest),
    accounts.map(({ lastLogin: _last, ...rest }) => rest), 'the rows are those of a login')
  t.equal((await app.restAuth.users.list()).length, 2)
})

story('the issuer of a social account is that of a login here, or the account is reported', async (
  t, _build, tested
) => {
  const social = {
    github: client,
    gitlab: { ...client, issuer: 'https://git.example' },
    auth0: { ...client, issuer: 'https://tenant.auth0.example/' },
    microsoft: client
  }
  const openidApp = (id: string, settings: object) =>
    ({ provider: 'openid_connect', provider_id: id, settings: JSON.stringify(settings) })
  const found = [
    ['google', 'google', 'https://accounts.google.com'], ['github', 'github', 'https://github.com/login/oauth'],
    ['facebook', 'facebook', 'https://www.facebook.com'], ['discord', 'discord', 'https://discord.com'],
    ['apple', 'apple', 'https://appleid.apple.com'], ['gitlab', 'gitlab', 'https://git.example'],
    ['login', 'auth0', 'https://tenant.auth0.example/']
  ] as const
  const refused = [
    ['okta', 'no provider in the option social has the issuer https://okta.example'],
    ['by-mail', 'its uid is the claim email, not sub'],
    ['microsoft', 'its uid is not what identifies the user here'],
    ['twitter', 'the option social has no provider twitter']
  ] as const
  const source = sourceWith(t, {
    users: [{ email: 'a@example.com' }],
    socialAccounts: [...found, ...refused].map(([provider], index) => ({ user_id: 1, provider, uid: String(index) })),
    socialApps: [
      openidApp('login', { server_url: 'https://tenant.auth0.example' }),
      openidApp('okta', { server_url: 'https://okta.example' }),
      openidApp('by-mail', { server_url: 'https://tenant.auth0.example', uid_field: 'email' }),
      { provider: 'gitlab', settings: JSON.stringify({ gitlab_url: 'https://git.example/' }) }
    ]
  })
  const { importFrom, rows } = await withTarget(t, tested, { social })
  const { social_accounts: report } = await importFrom(source)
  t.same(report, {
    read: 11,
    stored: 7,
    already_there: 0,
    issuers: Object.fromEntries(found.map(([, provider, issuer]) => [provider, issuer])),
    skipped: refused.map(([provider, reason]) => ({ pk: '1', provider, reason }))
  })
  t.same((await rows()).accounts.map(({ provider, issuer, subject, userPk }) => [provider, issuer, subject, userPk]),
    found.map(([, provider, issuer], index) => [provider, issuer, String(index), '1'])
      .sort(([, a = ''], [, b = '']) => a < b ? -1 : 1))
  const elsewhere = await withTarget(t, tested, { social: { gitlab: client } })
  t.match((await elsewhere.importFrom(source)).social_accounts.skipped.find(({ provider }) => provider === 'gitlab'), {
    reason: 'social.gitlab has the issuer https://gitlab.com, and Django has https://git.example/'
  })
  t.match((await elsewhere.importFrom(source)).social_accounts.skipped.find(({ provider }) => provider === 'github'), {
    reason: 'the option social has no provider github'
  }, 'it may be a GitHub Enterprise server')
})

story('a second run adds the social accounts that are missing, but to nobody else\'s account', async (
  t, build, tested
) => {
  const { database, db, options, importFrom, rows } = await withTarget(t, tested)
  const users = [{ email: 'a@example.com' }, { email: 'b@example.com' }, { email: 'c@example.com' }]
  await importFrom(sourceWith(t, { users }))
  const { app } = await build(t, { database })
  await app.restAuth.users.update('2', { email_verified: true } as never)
  const socialAccounts = [1, 2, 3].map(id => ({ user_id: id, provider: 'google', uid: `g${id}` }))
  await db.orm.insert(db.socialAccounts).values({
    id: 'x',
    userPk: '1',
    provider: 'google',
    issuer: 'https://accounts.google.com',
    subject: 'g3',
    createdAt: new Date(0),
    lastLogin: new Date(0),
    tokens: null
  })
  const source = sourceWith(t, { users, socialAccounts })
  t.same((await importFrom(source)).social_accounts, {
    read: 3,
    stored: 1,
    already_there: 0,
    issuers: { google: 'https://accounts.google.com' },
    skipped: [
      { pk: '2', provider: 'google', reason: 'address was verified here since' },
      { pk: '3', provider: 'google', reason: 'belongs to another user' }
    ]
  })
  t.same((await rows()).accounts.map(({ userPk, subject }) => [userPk, subject]), [['1', 'g1'], ['1', 'g3']])
  t.match((await importFrom(source)).social_accounts, { stored: 0, already_there: 1 })
  t.match((await importCommand(source, options, {})).text, '\n  google: belongs to another user (1)\n    user 3')
})

t.test('a UUID is the key that Django shows, with hyphens, also from SQLite', async t => {
  const { importFrom, rows } = await withTarget(t, sqlite)
  const source = temporaryFile(t)
  const client = new BetterSqlite3(source)
  client.exec(`
    CREATE TABLE people (id char(32) PRIMARY KEY, password text, last_login text, is_active bool, date_joined text,
      email text);
    INSERT INTO people VALUES
      ('8d2f6a0e5b3c4f6e9a7d1c2b3a4f5e6d', '!', NULL, 1, '2024-01-01 00:00:00', 'a@example.com')`)
  client.close()
  t.match(await importFrom(source), { table: 'people', users: { stored: 1 } })
  t.match((await rows()).users, [{ pk: '8d2f6a0e-5b3c-4f6e-9a7d-1c2b3a4f5e6d' }])
  const integers = await withTarget(t, sqlite, { account: { username: 'none', pk: 'integer' } })
  await t.rejects(integers.importFrom(source), /^import: account\.pk is 'integer', and the keys of people are no integers$/)
})

const script = [...loaders, 'src/cli/main.ts', 'import']
const run = async (...words: string[]) => await runNode(...script, ...words)

async function runNode (...words: string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  try {
    return { code: 0, ...await promisify(execFile)(process.execPath, words) }
  } catch (error) {
    return error as { code: number, stdout: string, stderr: string }
  }
}

t.test('the command prints its report, and refuses in one line what it can\'t do', async t => {
  const { options, database } = await withTarget(t, sqlite)
  const auth = ['--options', optionsFile(t, options)]
  const source = articleSource(t)
  const two = articleSource(t, client => client.exec('CREATE TABLE old_users AS SELECT * FROM users_customuser'))
  const copies = articleSource(t, client => client.exec(`
    CREATE TABLE old_users (id integer PRIMARY KEY, password text, last_login text, is_active bool, date_joined text)`))
  const noDatabase = `${source}.txt`
  writeFileSync(noDatabase, 'no database '.repeat(100))
  t.match(await run('django', two, ...auth, '--dry-run'), { code: 0, stdout: /^[^\n]*\(users_customuser\)/, stderr: '' })
  const refusals: Array<[words: string[], stderr: RegExp]> = [
    [['django', 'nowhere.sqlite3'], /^import: nowhere\.sqlite3: there is no such file$/],
    [['django', noDatabase], /^import: .*\.txt: file is not a database$/],
    [['django', 'postgres://me:s3cret@127.0.0.1:1/x'], /^import: postgres:\/\/127\.0\.0\.1:1\/x: .*ECONNREFUSED/],
    [['django', String(database)], /^import: no table has the columns password, last_login, is_active, date_joined; /],
    [['django', copies], /^import: users_customuser and old_users look like users; choose with --table$/],
    [['django', source, '--table', 'people'], /^import: there is no table people$/],
    [['django', source, '--field', 'is_staff'], /^import: --field is_staff: give <column of Django>=<user field>$/],
    [['django', source, '--field', 'boss=gender'], /^import: --field boss=gender: users_customuser has no column boss; /],
    [['django', source, '--field', 'is_staff=boss'], /^import: --field is_staff=boss: your options have no field boss; /],
    [['django', source, '--database', `${database}.new`], /^import: there is no .*\.new; create it with: npx fastify-rest-auth migrate$/],
    [['django', source, '--database', source], /migration statements are pending; run: npx fastify-rest-auth migrate /]
  ]
  for (const [words, expected] of refusals) {
    const { code, stdout, stderr } = await run(...words, ...auth)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(stderr.trimEnd(), expected)
    t.notMatch(stderr.trimEnd(), '\n', 'no stack trace')
    t.notMatch(stderr, 's3cret')
  }
  t.notOk(existsSync(`${database}.new`))
})

t.test('a postgres:// URL without the package pg is refused in one line', async t => {
  const { options } = await withTarget(t, sqlite)
  const hooks = `export const resolve = async (name, context, next) => {
    if (name === 'pg') throw new Error('not installed')
    return await next(name, context)
  }`
  const asModule = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`
  const register = asModule(`import { register } from 'node:module'; register(${JSON.stringify(asModule(hooks))})`)
  const words = ['django', 'postgres://127.0.0.1/x', '--options', optionsFile(t, options)]
  t.match(await runNode('--import', register, ...script, ...words), {
    code: 1,
    stderr: 'import: postgres://127.0.0.1/x: PostgreSQL needs the package pg (npm install pg)\n'
  })
})

t.test('a table without usernames is refused if every user must have one', async t => {
  const account = { username: 'required', emailVerification: 'none' }
  const { importFrom } = await withTarget(t, sqlite, { account })
  await t.rejects(importFrom(articleSource(t)), /^import: account\.username is required, and users_customuser has /)
})

t.test('the source is only read', async t => {
  const { importFrom } = await withTarget(t, sqlite)
  const source = articleSource(t)
  const before = readFileSync(source)
  await importFrom(source)
  t.ok(before.equals(readFileSync(source)))
  const url = await copyToPostgres(t, source)
  for (const place of [source, ...url === undefined ? [] : [url]]) {
    const opened = await openSource(place)
    await t.rejects(opened.read('DELETE FROM account_emailaddress RETURNING id'), /read-?only/)
    await opened.close()
  }
})

// npm run import:large for the long form: all users in memory would need more than this heap.
story('users by the thousand take a bounded heap', async (t, _build, tested) => {
  const { database, options, db } = await withTarget(t, tested)
  if (typeof database !== 'string') return
  const wanted = isLong ? 100_000 : 5000
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=64', '--import=./scripts/typescript.js', '--conditions=fastify-rest-auth:source',
    'src/cli/main.ts', 'import', 'django', largeSource(t, wanted), '--options', optionsFile(t, options)
  ])
  t.match(stdout, `\nusers: ${wanted} read, ${wanted} stored, 0 already there, 0 skipped\n`)
  t.equal(await countUsers(db), wanted)
})
