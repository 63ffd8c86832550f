/** An app keeps its own table of users (`account.table`): its keys, its rows, and the columns that only it knows. */
import { pbkdf2Sync } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { pendingStatements } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { resolveSettings } from '../src/settings/settings.js'
import { linkIn, uidAndTokenIn } from './support/answers.js'
import {
  fieldCodes, password, postgresBuild, secret, sqliteBuild, t, type Build, type BuiltApp, type Test
} from './support/build.js'
import { databases, type TestedDatabase } from './support/databases.js'
import { withBadProvider } from './support/hostile-provider-app.js'

const account = {
  emailVerification: 'none',
  table: { name: 'accounts', columns: { email: 'email_address', password_hash: 'pass_hash', created_at: 'created' } }
}
const userFields = { full_name: { schema: Type.Optional(Type.String({ maxLength: 100 })) } }
const options = { account, userFields }
const hash = `pbkdf2_sha256$1000$salt$${pbkdf2Sync(password, 'salt', 1000, 32, 'sha256').toString('base64')}`

/** How a table declares its key, which keys its two rows have, and what a key that it makes looks like. */
interface Key { declaration: string, rows: [string, string], made: RegExp }
const uuids: [string, string] = ['6f1c1f0e-0000-4000-8000-000000000001', '6f1c1f0e-0000-4000-8000-000000000002']
const anyUuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const keys: Record<'sqlite' | 'postgres', Record<string, Key>> = {
  sqlite: {
    integer: { declaration: 'integer PRIMARY KEY', rows: ['7', '8'], made: /^9$/ },
    autoincrement: { declaration: 'integer PRIMARY KEY AUTOINCREMENT', rows: ['7', '8'], made: /^9$/ },
    text: { declaration: 'text PRIMARY KEY', rows: ['ann', 'bob'], made: anyUuid },
    'text with a default': {
      declaration: "text PRIMARY KEY DEFAULT ('made-' || hex(randomblob(8)))", rows: ['ann', 'bob'], made: /^made-/
    }
  },
  postgres: {
    serial: { declaration: 'serial PRIMARY KEY', rows: ['-7', '-8'], made: /^1$/ },
    'integer without a default': { declaration: 'integer PRIMARY KEY', rows: ['7', '8'], made: /^9$/ },
    'bigint identity': {
      declaration: 'bigint GENERATED ALWAYS AS IDENTITY (START WITH 9007199254740993) PRIMARY KEY',
      rows: ['7', '8'],
      made: /^9007199254740993$/
    },
    uuid: { declaration: 'uuid PRIMARY KEY DEFAULT gen_random_uuid()', rows: uuids, made: anyUuid },
    'uuid without a default': { declaration: 'uuid PRIMARY KEY', rows: uuids, made: anyUuid },
    text: { declaration: 'varchar(40) PRIMARY KEY', rows: ['ann', 'bob'], made: anyUuid }
  }
}

interface Place {
  database: unknown
  /** Runs one statement, as the app's own code does; returns its rows. */
  run: (text: string) => Promise<Array<Record<string, unknown>>>
}

async function place (t: Test, tested: TestedDatabase): Promise<Place> {
  if (tested.dialect === 'sqlite') {
    const client = new BetterSqlite3(':memory:')
    const run = async (text: string) => {
      const statement = client.prepare(text)
      return statement.reader ? statement.all() as Array<Record<string, unknown>> : (statement.run(), [])
    }
    return { database: drizzle({ client }), run }
  }
  const { database, close } = await tested.open()
  t.teardown(close)
  const db = await openDatabase(database, [], () => {})
  t.teardown(() => db.close())
  return {
    database,
    run: async text => await db.orm.select({ row: sql`to_jsonb(r)` }).from(sql.raw(`(${text}) AS r`))
      .then(rows => rows.map(({ row }) => row as Record<string, unknown>))
      .catch(async () => { await db.execute(db, text); return [] })
  }
}

const time = { sqlite: "text DEFAULT '2020-01-01 12:00:00'", postgres: "timestamptz DEFAULT '2020-01-01T12:00:00Z'" }

/** The table that the app has: two users, of which one has a password and capitals in the address. */
async function withTable (t: Test, tested: TestedDatabase, key: Key, columns: string[] = []): Promise<Place> {
  const made = await place(t, tested)
  await made.run(`CREATE TABLE accounts (id ${[
    key.declaration, 'email_address varchar NOT NULL UNIQUE', 'pass_hash text', `created ${time[tested.dialect]}`,
    'full_name varchar(100)', "plan text NOT NULL DEFAULT 'free'", ...columns
  ].join(', ')})`)
  const [ann, bob] = key.rows
  const always = /ALWAYS/.test(key.declaration) ? 'OVERRIDING SYSTEM VALUE' : ''
  await made.run(`INSERT INTO accounts (id, email_address, pass_hash, full_name, plan) ${always} VALUES
    ('${ann}', 'Ann@Example.com', '${hash}', 'Ann Archer', 'gold'), ('${bob}', 'bob@example.com', NULL, NULL, 'free')`)
  return made
}

const buildOn = (tested: TestedDatabase): Build => tested.dialect === 'sqlite' ? sqliteBuild : postgresBuild
const firstKey = ({ dialect }: TestedDatabase) => Object.values(keys[dialect])[0]!
const loginOf = ({ post }: BuiltApp) => async (email: string, password: string) =>
  await post('/login', { email, password })
const another = 'Another-pw-2'

async function resetPassword ({ mails, post }: BuiltApp, email: string): Promise<void> {
  await post('/password/reset', { email })
  const { uid, token } = uidAndTokenIn((await mails()).findLast(mail => uidAndTokenIn(mail).token !== ''))
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: another })).statusCode, 200)
}

for (const tested of databases) {
  const build = buildOn(tested)

  for (const [name, key] of Object.entries(keys[tested.dialect])) {
    const title = `users of the app's own table log in, register, change and are deleted, with a key that is ${name}`
    t.test(`${title} (${tested.name})`, async t => {
      const { database, run } = await withTable(t, tested, key)
      const built = await build(t, { database, options })
      const { app, get, mails, patch, post } = built
      const login = loginOf(built)
      const [ann, bob] = key.rows
      const columnsOfBob = async () => (await run(`SELECT * FROM accounts WHERE id = '${bob}'`))[0]

      // A row from before, with a password.
      const first = (await login('ann@example.com', password)).json()
      t.match(first.user, { pk: ann, email: 'ann@example.com', full_name: 'Ann Archer' })
      t.equal((await get('/user', { token: first.access })).json().pk, ann)
      const { access: token } = (await post('/token/refresh', { refresh: first.refresh })).json()
      t.match((await patch('/user', { full_name: 'Ann A.' }, { token })).json(), { full_name: 'Ann A.' })
      const change = { old_password: password, new_password1: another }
      t.equal((await post('/password/change', change, { token })).statusCode, 200)
      t.equal((await login('ANN@example.com', password)).statusCode, 400)
      t.equal((await login('ANN@example.com', another)).statusCode, 200)
      t.equal((await get('/sessions', { token })).json().length, 2)

      // A row from before, without one.
      t.match(await columnsOfBob(), { email_address: 'bob@example.com', pass_hash: null })
      await post('/password/reset', { email: 'Bob@example.com' })
      const mail = (await mails()).at(-1)
      t.match(mail, { to: 'bob@example.com' })
      const { uid, token: mailed } = uidAndTokenIn(mail)
      t.equal(uid, bob)
      t.equal((await get(linkIn(mail).replace(/^.*\/auth/, ''))).statusCode, 200)
      const confirm = async (uid: string) =>
        (await post('/password/reset/confirm', { uid, token: mailed, new_password1: another })).statusCode
      for (const other of ['', '0', 'zz', '1e3', `0${bob}`, '99999999999999999999', uuids[0].toUpperCase()]) {
        t.equal(await confirm(other), 400, `the uid ${other}`)
      }
      t.equal(await confirm(bob), 200)
      t.equal((await login('bob@example.com', another)).json().user.pk, bob)

      // A new one.
      t.same(fieldCodes(await post('/registration', { email: 'ann@EXAMPLE.com', password1: password })), {
        email: ['email_taken']
      })
      const registered = await post('/registration', { email: 'Carol@Example.com', password1: password })
      t.equal(registered.statusCode, 201)
      const { pk } = registered.json().user
      t.match(pk, key.made)
      const [carol] = await run(`SELECT * FROM accounts WHERE id = '${pk}'`)
      t.match(carol, { email_address: 'carol@example.com', plan: 'free' })
      t.equal((await app.restAuth.users.find({ pk }))?.created_at.getTime(), built.clock.now.getTime())

      const { users, sessions } = app.restAuth
      t.match(await users.list(), { length: 3 })
      t.match(await users.list({ search: 'ANN@' }), [{ pk: ann, created_at: new Date('2020-01-01T12:00:00Z') }])
      const pages = await users.list({ limit: 2 })
      t.match(await users.list({ after: pages[1]!.pk }), { length: 1 })
      for (const none of ['', 'zz', '07', '1.5', `${2n ** 70n}`]) t.equal(await users.find({ pk: none }), undefined)
      const imported = { email: 'dan@example.com', is_active: false }
      if (key.rows[0] !== 'ann') {
        const { skipped: [skipped] } = await users.import([{ ...imported, pk: 'zz' }])
        t.match(skipped?.reason, { code: 'validation_error', fields: [{ field: 'pk', code: 'invalid' }] })
      }
      t.match(await users.import([imported]), { stored: 1 })
      t.equal(await users.delete((await users.find({ email: imported.email }))!.pk), true)
      t.match(await users.update(bob, { email: 'robert@example.com' }), { pk: bob, email: 'robert@example.com' })
      t.match(await columnsOfBob(), { email_address: 'robert@example.com', plan: 'free' })

      const tokenOfBob = (await login('robert@example.com', another)).json().access
      t.match(await users.deactivate(bob), { is_active: false })
      t.equal((await get('/user', { token: tokenOfBob })).statusCode, 401)
      t.equal((await login('robert@example.com', another)).statusCode, 400)
      t.match(await users.activate(bob), { is_active: true })
      await login('robert@example.com', another)
      t.equal((await sessions.list(bob)).length, 1)
      t.equal(await users.delete(bob), true)
      t.same(await run('SELECT user_pk FROM sessions WHERE user_pk NOT IN (SELECT id FROM accounts)'), [])

      t.match((await run(`SELECT * FROM accounts WHERE id = '${ann}'`))[0], {
        email_address: 'Ann@Example.com', plan: 'gold'
      }, 'what the app wrote itself stays')
      await run(`DELETE FROM accounts WHERE id = '${ann}'`)
      t.same(await run('SELECT CAST(user_pk AS text) AS user_pk FROM sessions'), [{ user_pk: pk }])
      t.same(await app.restAuth.migrate(), [])
    })

    t.test(`users come from a provider into a table with a key that is ${name} (${tested.name})`, async t => {
      const { database, run } = await withTable(t, tested, key)
      const { app, enter } = await withBadProvider(t, build, { database, options })
      const { user } = (await enter('alice')).json()
      t.match(user.pk, key.made)
      t.equal((await enter('alice')).json().user.pk, user.pk)
      t.equal((await app.restAuth.socialAccounts.list(user.pk)).length, 1)
      t.equal((await enter('bob')).json().user.pk, key.rows[1], 'the provider proves the address of a row from before')
      t.equal(await app.restAuth.users.delete(user.pk), true)
      t.equal((await run('SELECT user_pk FROM social_accounts')).length, 1)
    })
  }

  t.test(`integer keys of the table can be numbers for the app and its clients (${tested.name})`, async t => {
    const key = { ...firstKey(tested), rows: ['7', '8'] as [string, string] }
    const { database } = await withTable(t, tested, key)
    const built = await build(t, { database, options: { ...options, account: { ...account, pk: 'integer' } } })
    t.equal((await loginOf(built)('ann@example.com', password)).json().user.pk, 7)
    const { user } = (await built.post('/registration', { email: 'c@d.co', password1: password })).json()
    t.equal(typeof user.pk, 'number')
    const after = 7 as never
    t.ok((await built.app.restAuth.users.list({ after })).every(({ pk }) => Number(pk) > 7))
  })

  t.test(`usernames that the table has are found in any case (${tested.name})`, async t => {
    const key = firstKey(tested)
    const { database, run } = await withTable(t, tested, key, ['username text'])
    const [ann, bob] = key.rows
    await run(`UPDATE accounts SET username = CASE id WHEN '${ann}' THEN 'Straße' ELSE ' Bob ' END`)
    const { app, post } = await build(t, {
      database,
      options: { ...options, account: { ...account, loginMethods: ['username', 'email'], username: 'optional' } }
    })
    t.equal((await post('/login', { username: 'STRASSE', password })).json().user.pk, ann)
    t.match(await app.restAuth.users.find({ username: 'bob' }), { pk: bob })
  })

  t.test(`addresses are found by an index (${tested.name})`, async t => {
    const { database, run } = await withTable(t, tested, firstKey(tested))
    await build(t, { database, options })
    if (tested.dialect === 'sqlite') {
      const plan = await run("EXPLAIN QUERY PLAN SELECT * FROM accounts WHERE lower(email_address) = 'ann@example.com'")
      t.match(plan, [{ detail: /USING INDEX rest_auth_email_address_of_accounts/ }])
    } else {
      t.match(await run("SELECT indexdef FROM pg_indexes WHERE indexname = 'rest_auth_email_address_of_accounts'"), [
        { indexdef: /UNIQUE INDEX .*lower/ }
      ])
    }
    await t.rejects(run('SELECT rest_auth FROM accounts'), 'nothing else was added')
  })

  t.test(`the migration prints the same SQL that it runs, and adds nothing twice (${tested.name})`, async t => {
    const { database, run } = await withTable(t, tested, firstKey(tested))
    const { fields, existingTable } = resolveSettings({ ...options, secret }, { production: false, warn: () => {} })
    const db = await openDatabase(database, fields, () => {}, existingTable)
    t.teardown(() => db.close())
    const before = await run('SELECT id, email_address, pass_hash, full_name, plan FROM accounts ORDER BY plan')
    const printed = await pendingStatements(db, db, fields)
    t.notMatch(printed.join('\n'), /CREATE TABLE ["`]users|DROP|"users"|`users`/)
    for (const statement of printed) await db.execute(db, statement)
    t.same(await pendingStatements(db, db, fields), [])
    t.same(await run('SELECT id, email_address, pass_hash, full_name, plan FROM accounts ORDER BY plan'), before)
    const [ann] = await run("SELECT * FROM accounts WHERE plan = 'gold'")
    t.match(ann, { last_login: null, username: null, username_key: null })
    t.ok(ann?.is_active)
    t.notOk(ann?.email_verified)
  })

  /** Verification of addresses as it is by default, usernames, and a field that the app's table needs. */
  const verifying = {
    account: { table: account.table, username: 'optional', loginMethods: ['email'] },
    userFields: { ...userFields, nick: { schema: Type.String({ maxLength: 20 }), userDetails: 'editable' } }
  }
  const nick = "nick text NOT NULL DEFAULT 'Nick'"

  t.test(`rows from before keep their fields when their owner resets the password (${tested.name})`, async t => {
    for (const created of ["'2020-01-01 12:00:00'", 'NULL']) {
      const { database, run } = await withTable(t, tested, firstKey(tested), ['username text', nick])
      await run(`UPDATE accounts SET username = 'Ann', created = ${created} WHERE plan = 'gold'`)
      await run("UPDATE accounts SET created = '2999-01-01 12:00:00' WHERE plan = 'free'")
      const built = await build(t, { database, options: verifying })
      const { app, post } = built
      await resetPassword(built, 'ann@example.com')
      t.match(await app.restAuth.users.find({ email: 'ann@example.com' }), {
        username: 'Ann', full_name: 'Ann Archer', nick: 'Nick', email_verified: true
      })

      const mallory = { email: 'carol@example.com', username: 'mallory', full_name: 'Mallory', nick: 'Mal' }
      t.equal((await post('/registration', { ...mallory, password1: password })).statusCode, 201)
      await resetPassword(built, mallory.email)
      t.match(await app.restAuth.users.find({ email: mallory.email }), {
        username: null, full_name: null, nick: 'Mal', email_verified: true
      }, 'what was registered since is emptied, but for a column that must have a value')
    }
  })

  t.test(`rows from before keep their fields when their owner comes from a provider (${tested.name})`, async t => {
    const { database, run } = await withTable(t, tested, firstKey(tested), ['username text'])
    await run("UPDATE accounts SET username = 'Bob', full_name = 'Bob Bishop', pass_hash = 'x' WHERE plan = 'free'")
    const { app, enter } = await withBadProvider(t, build, { database, options: { ...verifying, userFields } })
    t.equal((await enter('bob')).statusCode, 200)
    t.match(await app.restAuth.users.find({ email: 'bob@example.com' }), {
      username: 'Bob', full_name: 'Bob Bishop', email_verified: true
    })
  })

  /** Why the app does not start with the table. */
  const refusal = async (place: Place, changes: object): Promise<string> =>
    await build(t, { database: place.database, options: { ...options, ...changes } })
      .then(() => '', error => error.message)

  t.test(`a table that can't be the users' is refused by name (${tested.name})`, async t => {
    const key = firstKey(tested)
    const withColumns = (columns: object) => ({
      account: { ...account, table: { ...account.table, columns: { ...account.table.columns, ...columns } } }
    })
    const rows: Array<[message: RegExp, options: object, columns?: string[]]> = [
      [/name: the database has no table "people"/, { account: { ...account, table: { name: 'people' } } }],
      [/key: the table "accounts" has no column "pk"/, { account: { ...account, table: { ...account.table, key: 'pk' } } }],
      [/key: the column "plan" of "accounts" is not unique/,
        { account: { ...account, table: { ...account.table, key: 'plan' } } }],
      [/columns.email: the table "accounts" has no column "email"/, { account: { ...account, table: { name: 'accounts' } } }],
      [/columns.password_hash: the table "accounts" has no column "pas_hash"; name another, or leave it out/,
        withColumns({ password_hash: 'pas_hash' })],
      [/columns.is_active: the column "plan" of "accounts" is text, but must be/, withColumns({ is_active: 'plan' })],
      [/columns.password_hash: the column "secret" of "accounts" is NOT NULL, but users of a social login/,
        withColumns({ password_hash: 'secret' }), ["secret text NOT NULL DEFAULT ''"]],
      [/the column "phone" of "accounts" is NOT NULL without a default, so no user could be stored/, {},
        ['phone text NOT NULL CHECK (phone IS NOT NULL)']],
      [/userFields.plan: its column "plan" of "accounts" is NOT NULL, but users may have no value/,
        { userFields: { plan: { schema: Type.Optional(Type.String({ default: 'free' })) } } }],
      [/userFields.full_name: the column "full_name" of accounts is «.*», and the declaration wants/,
        { userFields: { full_name: { schema: Type.Number() } } }],
      [/account.table.columns.username: "email_address" is already the column of account.table.columns.email/,
        withColumns({ username: 'email_address' })],
      [/columns.email: the column "email_address" of "accounts" is NOT NULL, but account.email is 'optional'/,
        { account: { ...account, loginMethods: ['username'], username: 'required', email: 'optional' } }]
    ]
    for (const [message, changes, columns = []] of rows) {
      const place = columns.some(column => column.startsWith('phone'))
        ? await emptyTable(t, tested, key, columns)
        : await withTable(t, tested, key, columns)
      const reason = await refusal(place, changes)
      t.match(reason, message)
      t.match(reason, /^fastify-rest-auth: [^\n]+$/)
      t.same((await place.run('SELECT * FROM accounts')).flatMap(row => Object.keys(row)).filter(isOurs), [])
    }
  })

  t.test(`two rows that would be one user are refused by their keys (${tested.name})`, async t => {
    const key = firstKey(tested)
    const place = await withTable(t, tested, key, ['username text'])
    await place.run("UPDATE accounts SET email_address = 'ANN@example.com' WHERE plan = 'free'")
    t.match(await refusal(place, {}), /the rows .* and .* of "accounts" have the same address "ann@example.com", which/)
    await place.run("UPDATE accounts SET email_address = 'bob@bücher.example' WHERE plan = 'free'")
    t.match(await refusal(place, {}), /has the address "bob@bücher.example", .* store it as "bob@xn--bcher-kva.example"/)
    await place.run("UPDATE accounts SET email_address = 'bob@example.com', username = 'Ann' WHERE plan = 'free'")
    await place.run("UPDATE accounts SET username = 'ann' WHERE plan = 'gold'")
    t.match(await refusal(place, {}), /the rows .* and .* of "accounts" have the same username "ann", which/)
    await place.run("UPDATE accounts SET username = 'strasse' WHERE plan = 'gold'")
    await place.run("UPDATE accounts SET username = 'Straße' WHERE plan = 'free'")
    t.match(await refusal(place, {}), /have the same username "strasse", which/)
    await place.run("UPDATE accounts SET username = NULL WHERE plan = 'free'")
    t.equal(await refusal(place, {}), '')
  })

  t.test(`users do not move between tables when the option changes (${tested.name})`, async t => {
    const place = await withTable(t, tested, firstKey(tested))
    await build(t, { database: place.database, options })
    t.match(await refusal(place, { account: { emailVerification: 'none' } }),
      /account.table: the users of this database are in "accounts".*; set account.table.name: 'accounts'/)
    const other = await withTable(t, tested, firstKey(tested))
    await build(t, { database: other.database, options: { account: { emailVerification: 'none' } } })
    t.match(await refusal(other, {}), /the users of this database are in "users".*; leave account.table out, or give/)
    const prefixed = { database: { drizzle: other.database, tables: 'auth_' } }
    if (typeof other.database !== 'string') t.equal(await refusal(other, prefixed), '')
  })
}

/** Whether it is a column that the migration adds. */
const isOurs = (name: string) => ['username_key', 'is_active', 'email_verified', 'last_login'].includes(name)

async function emptyTable (t: Test, tested: TestedDatabase, key: Key, columns: string[]): Promise<Place> {
  const made = await place(t, tested)
  await made.run(`CREATE TABLE accounts (id ${key.declaration}, email_address varchar, pass_hash text,
    created ${time[tested.dialect]}, full_name text, ${columns.join(', ')})`)
  return made
}

t.test('a request reads the database once, as with the plugin\'s own table', async t => {
  const statements: unknown[] = []
  const client = new BetterSqlite3(':memory:', { verbose: statement => statements.push(statement) })
  client.exec('CREATE TABLE accounts (id integer PRIMARY KEY, email_address text, pass_hash text, created integer)')
  const { get, post } = await sqliteBuild(t, { database: drizzle({ client }), options })
  const { access: token } = (await post('/registration', { email: 'ann@example.com', password1: password })).json()
  statements.length = 0
  t.equal((await get('/user', { token })).statusCode, 200)
  t.equal(statements.length, 1)
})

t.test('on SQLite, names that differ only in case are the same', async t => {
  const client = new BetterSqlite3(':memory:')
  client.exec(`CREATE TABLE Accounts (ID integer PRIMARY KEY, Email_Address text, Pass_Hash text, Created integer,
    Is_Active boolean NOT NULL, Full_Name text NOT NULL);
    INSERT INTO Accounts VALUES (1, 'ann@example.com', '${hash}', NULL, 1, 'Ann Archer')`)
  const required = { full_name: { schema: Type.String({ maxLength: 100 }) } }
  const built = await sqliteBuild(t, { database: drizzle({ client }), options: { account, userFields: required } })
  t.match((await loginOf(built)('ann@example.com', password)).json().user, { pk: '1', full_name: 'Ann Archer' })
  t.same(await built.app.restAuth.migrate(), [])
})

t.test('on SQLite, a key that JavaScript would round is refused, and none follows it', async t => {
  const large = '9007199254740993'
  for (const pk of ['string', 'integer']) {
    const client = new BetterSqlite3(':memory:')
    client.exec(`CREATE TABLE accounts (id integer PRIMARY KEY, email_address text, pass_hash text, created integer);
      INSERT INTO accounts VALUES (${large}, 'ann@example.com', NULL, NULL)`)
    const given = { database: drizzle({ client }), options: { ...options, account: { ...account, pk } } }
    const message = `account.table.key: the column "id" of "accounts" has the key ${large}`
    await t.rejects(sqliteBuild(t, given), new RegExp(message))
    client.exec('UPDATE accounts SET id = 7')
    const { post } = await sqliteBuild(t, given)
    client.exec(`INSERT INTO accounts (id, email_address) VALUES (${large}, 'bob@example.com')`)
    const { user } = (await post('/registration', { email: 'c@d.co', password1: password })).json()
    t.equal(user.pk, pk === 'integer' ? 8 : '8')
  }
})

t.test('on PostgreSQL, tables with long names each get their own indexes', async t => {
  const postgres = databases.find(({ dialect }) => dialect === 'postgres')!
  const { database, run } = await place(t, postgres)
  for (const end of ['one', 'two']) {
    const name = `${'accounts_of_the_shop_'.padEnd(50, 'x')}_${end}`
    await run(`CREATE TABLE ${name} (id serial PRIMARY KEY, email_address text, pass_hash text, created timestamptz)`)
    const named = { ...account, table: { ...account.table, name } }
    const given = typeof database === 'string' ? { url: database } : { drizzle: database }
    await postgresBuild(t, {
      database: { ...given, tables: `${end}_` },
      options: { account: named, userFields: { full_name: { ...userFields.full_name, unique: true } } }
    })
    const unique = await run(
      `SELECT indexname FROM pg_indexes WHERE tablename = '${name}' AND indexdef LIKE '%UNIQUE%'`)
    t.equal(unique.length, 4, 'the key, the address, the username and the field')
    await run(`INSERT INTO ${name} (email_address) VALUES ('ann@example.com')`)
    await run(`INSERT INTO ${name} (email_address) VALUES ('Ann@example.com')`).then(() => t.fail(), t.pass)
  }
})

t.test('on SQLite, integers that are not milliseconds are refused', async t => {
  const client = new BetterSqlite3(':memory:')
  client.exec(`CREATE TABLE accounts (id integer PRIMARY KEY, email_address text, pass_hash text, created integer);
    INSERT INTO accounts VALUES (1, 'ann@example.com', NULL, 1577880000)`)
  await t.rejects(sqliteBuild(t, { database: drizzle({ client }), options }), {
    message: /columns.created_at: the column "created" of "accounts" holds other times than milliseconds \(row 1\)/
  })
})
