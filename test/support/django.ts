/** Databases of Django and allauth to import from. */
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import BetterSqlite3 from 'better-sqlite3'
import type { Test } from './build.js'
import { execute, postgres, temporaryFile } from './databases.js'

const folder = new URL('../fixtures/django/', import.meta.url)

export interface KnownUser {
  pk: number
  email: string
  /** Null for a user without a usable password. */
  password: string | null
  active: boolean
}

/** The users of the fixture whose passwords are known. */
export const knownUsers: KnownUser[] = JSON.parse(readFileSync(new URL('article-users.json', folder), 'utf8'))

/** The file that Django 5.2 and allauth made for the article's app: 1,000 users. `change` may write to it. */
export function articleSource (t: Test, change: (client: BetterSqlite3.Database) => void = () => {}): string {
  const file = temporaryFile(t).replace('auth.sqlite', 'django.sqlite3')
  writeFileSync(file, gunzipSync(readFileSync(new URL('article.sqlite3.gz', folder))))
  const client = new BetterSqlite3(file)
  change(client)
  client.close()
  return file
}

/** The same tables with these rows alone. Columns that are left out get plain values. */
export function sourceWith (
  t: Test,
  { users, addresses = [], socialAccounts = [], socialApps = [] }: Record<string, object[]> & { users: object[] }
): string {
  return articleSource(t, client => {
    empty(client)
    insert(client, 'users_customuser', users.map((user, index) => ({ ...plainUser, id: index + 1, ...user })))
    insert(client, 'account_emailaddress', addresses.map(address => ({ verified: 1, primary: 1, ...address })))
    insert(client, 'socialaccount_socialaccount', socialAccounts.map(account => ({ ...plainAccount, ...account })))
    insert(client, 'socialaccount_socialapp', socialApps.map(app => ({ ...plainApp, ...app })))
  })
}

const plainUser = {
  password: '!unusable',
  last_login: null,
  is_superuser: 0,
  first_name: '',
  last_name: '',
  is_staff: 0,
  is_active: 1,
  date_joined: '2024-02-13 20:30:57.984130',
  gender: 'F',
  phone_number: '1'
}
const plainAccount = { last_login: '2024-05-01 10:00:00', date_joined: '2024-02-13 20:30:57.9', extra_data: '{}' }
const plainApp = { name: '', client_id: '', secret: '', key: '', provider_id: '', settings: '{}' }

function insert (client: BetterSqlite3.Database, table: string, rows: object[]): void {
  for (const row of rows) {
    const names = Object.keys(row)
    client.prepare(
      `INSERT INTO ${table} (${names.map(name => `"${name}"`)}) VALUES (${names.map(name => `@${name}`)})`
    ).run(row)
  }
}

const empty = (client: BetterSqlite3.Database) => client.exec(`
  DELETE FROM socialaccount_socialaccount; DELETE FROM account_emailconfirmation; DELETE FROM account_emailaddress;
  DELETE FROM authtoken_token; DELETE FROM users_customuser`)

/** As many users as wanted: each fourth is verified, and each fifth has a Google account. */
export const largeSource = (t: Test, count: number): string => articleSource(t, client => {
  empty(client)
  client.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO users_customuser
      SELECT i, 'pbkdf2_sha256$1000000$salt$' || substr(hex(zeroblob(22)), 1, 43) || '=', NULL, 0, 'Ada', 'Lovelace', 0,
        1, '2024-02-13 20:30:57.984130', 'User' || i || '@Example.com', 'F', '+1' FROM n;
    INSERT INTO account_emailaddress (verified, "primary", user_id, email)
      SELECT id % 4 = 0, 1, id, lower(email) FROM users_customuser;
    INSERT INTO socialaccount_socialaccount (provider, uid, last_login, date_joined, user_id, extra_data)
      SELECT 'google', 1000 + id, date_joined, date_joined, id, '{}' FROM users_customuser WHERE id % 5 = 0`)
})

/** As Django's migrations make them on PostgreSQL. */
const postgresTables = `
  CREATE TABLE users_customuser (
    id bigint PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz, is_superuser boolean NOT NULL,
    first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL, is_staff boolean NOT NULL,
    is_active boolean NOT NULL, date_joined timestamptz NOT NULL, email varchar(254) NOT NULL,
    gender varchar(20) NOT NULL, phone_number varchar(30) NOT NULL);
  CREATE TABLE account_emailaddress (
    id integer PRIMARY KEY, verified boolean NOT NULL, "primary" boolean NOT NULL, user_id bigint NOT NULL,
    email varchar(254) NOT NULL);
  CREATE TABLE socialaccount_socialapp (
    id integer PRIMARY KEY, provider varchar(30), name varchar(40), client_id varchar(191), secret varchar(191),
    key varchar(191), provider_id varchar(200), settings jsonb);
  CREATE TABLE socialaccount_socialaccount (
    id integer PRIMARY KEY, provider varchar(200) NOT NULL, uid varchar(191) NOT NULL, last_login timestamptz NOT NULL,
    date_joined timestamptz NOT NULL, user_id bigint NOT NULL, extra_data jsonb NOT NULL);
  ALTER DATABASE CURRENT SET TimeZone = 'Asia/Tokyo'`

const literal = (value: unknown) => value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`

/** The URL of a PostgreSQL database with the same rows as a SQLite file; undefined without a server. */
export async function copyToPostgres (t: Test, file: string): Promise<string | undefined> {
  const { database, close } = await postgres.open()
  t.teardown(close)
  if (typeof database !== 'string') return undefined
  const name = new URL(database).pathname.slice(1)
  const client = new BetterSqlite3(file, { readonly: true })
  const rowsOf = (table: string) => client.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all()
  const names = (row: object) => Object.keys(row).map(column => `"${column}"`)
  const inserts = [
    'users_customuser', 'account_emailaddress', 'socialaccount_socialapp', 'socialaccount_socialaccount'
  ].flatMap(table => rowsOf(table).map(row =>
    `INSERT INTO ${table} (${names(row)}) VALUES (${Object.values(row).map(literal)})`))
  client.close()
  // Times of SQLite are in UTC; the server shows them in another zone, as it may anywhere.
  const tables = postgresTables.replace('DATABASE CURRENT', `DATABASE ${name}`)
  await execute(database, `SET TimeZone = 'UTC'; ${tables}; ${inserts.join('; ')}`)
  t.teardown(async () => await execute(database, `ALTER DATABASE ${name} RESET TimeZone`))
  return database
}
