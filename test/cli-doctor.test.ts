/** The command `doctor`: what it finds in the options, the databases, Redis, the mail server and the DNS. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { settingsOf } from '../src/cli/database.js'
import { checkDatabase } from '../src/cli/doctor/database.js'
import { checkOptions } from '../src/cli/doctor/options.js'
import { migrateCommand } from '../src/cli/migrate.js'
import { secret, t } from './support/build.js'
import { optionsFile, run } from './support/command-line.js'
import { makeOwnTable, postgres, postgresUrl, temporaryFile } from './support/databases.js'
import { startDnsServer } from './support/dns-server.js'
import { startMailServer } from './support/mail-server.js'

interface Report { ok: boolean, checks: Array<{ name: string, status: string, message: string }> }

/** What `doctor` reports with these variables, by the names of the checks: `ok up to date`. */
async function examine (words: string[], env: NodeJS.ProcessEnv) {
  const { code, stdout } = await run(['doctor', '--json', ...words], { env })
  const { ok, checks } = JSON.parse(stdout) as Report
  const found = new Map(checks.map(({ name, status, message }) => [name, `${status} ${message}`]))
  return { code, ok, found: Object.fromEntries(found), stdout }
}

const records = {
  'MX app.example': ['mail.app.example'],
  'TXT app.example': ['v=spf1 -all', 'other'],
  'TXT _dmarc.app.example': ['v=DMARC1; p=reject'],
  'TXT s1._domainkey.app.example': ['v=DKIM1; k=rsa; p=MIIB']
}

t.test('a sound configuration passes every check, and no password is shown', async t => {
  const server = await startMailServer({ auth: { user: 'app', pass: 'mail-Pa55' } })
  t.teardown(server.close)
  const dns = await startDnsServer(t, records)
  const opened = postgresUrl ? await postgres.open() : undefined
  if (opened) t.teardown(opened.close)
  const database = opened ? String(opened.database) : temporaryFile(t)
  await migrateCommand({ database }, false)
  const words = ['--dns-server', dns, '--dkim-selector', 's1']
  const { REDIS_URL: redis } = process.env
  const { code, ok, found, stdout } = await examine(words, {
    NODE_ENV: 'production',
    AUTH_SECRET: secret,
    DATABASE_URL: database,
    PUBLIC_URL: 'https://app.example',
    SMTP_URL: server.url,
    TRUST_PROXY: '10.0.0.0/8',
    ...(redis && { REDIS_URL: redis })
  })
  t.match({ code, ok }, { code: 0, ok: true })
  t.match(found, {
    options: 'ok accepted, also in production',
    secret: 'ok strong',
    publicUrl: 'ok https://app.example',
    trustProxy: 'ok TRUST_PROXY is set',
    database: /^ok .*: (PostgreSQL|SQLite) \d+/,
    migrations: 'ok up to date',
    mail: 'ok the mail server accepts the connection and the login',
    mx: 'ok app.example receives mail',
    spf: 'ok app.example says who may send its mail',
    dmarc: 'ok app.example has a policy: reject',
    dkim: 'ok app.example has the key s1',
    ...(redis && { redis: 'ok answers' }),
    ...(opened && { clock: 'ok agrees with that of the database server' })
  })
  for (const hidden of [secret, 'mail-Pa55', 'postgres@']) t.notOk(stdout.includes(hidden), hidden)
  t.equal(server.mails.length, 0)
})

t.test('a failed check says what to do, and the exit code is 1', async t => {
  const server = await startMailServer({ auth: { user: 'app', pass: 'right' } })
  t.teardown(server.close)
  const dns = await startDnsServer(t, { 'TXT app.example': ['v=spf1 -all', 'v=spf1 +all'] })
  const { code, found, stdout } = await examine(['--dns-server', dns, '--dkim-selector', 's1'], {
    AUTH_SECRET: secret,
    DATABASE_URL: 'postgres://app:pg-Pa55@127.0.0.1:1/app',
    PUBLIC_URL: 'http://app.example',
    SMTP_URL: server.url.replace('right', 'wr0ng-Pa55'),
    REDIS_URL: 'redis://:redis-Pa55@127.0.0.1:1'
  })
  t.equal(code, 1)
  t.match(found, {
    options: /^warning in production: publicUrl: must be https in production$/,
    publicUrl: /^warning http:\/\/app\.example is not https/,
    database: /^failed database: .*ECONNREFUSED/,
    redis: /^failed does not answer \(.+\); logins are refused until it does$/,
    mail: /^failed EAUTH/,
    mx: /^warning app\.example has no MX record/,
    spf: /^failed app\.example has 2 SPF records/,
    dmarc: /^warning app\.example has no DMARC record/,
    dkim: /^failed s1\._domainkey\.app\.example has no key/
  })
  for (const hidden of ['pg-Pa55', 'wr0ng-Pa55', 'redis-Pa55']) t.notOk(stdout.includes(hidden), hidden)
})

t.test('a name server that does not answer is no failure', async t => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.close() })
  const database = temporaryFile(t)
  await migrateCommand({ database }, false)
  const dns = `127.0.0.1:${silent.address().port}`
  const { code, found } = await examine(['--dns-server', dns], {
    DATABASE_URL: database, AUTH_SECRET: secret, MAIL_FROM: 'App <noreply@app.example>'
  })
  t.equal(code, 0)
  for (const name of ['mx', 'spf', 'dmarc']) t.match(found[name], /^skipped could not check: the name server did not/)
})

t.test('as text, each check is a line; a missing database and refused options fail', async t => {
  const database = temporaryFile(t)
  const { code, stdout } = await run(['doctor', '--options', optionsFile(t, `export default {
    database: '${database}', secret: '${secret}', mail: { transport: () => {} }
  }`)])
  t.equal(code, 1)
  t.match(stdout, /^ {2}failed +database +database: there is no .*auth\.sqlite; create it with: /m)
  t.match(stdout, /^ {2}skipped +mail +could not check: the transport has no server to connect to$/m)
  t.match(stdout, /^ {2}skipped +trustProxy +could not check: /m)
  t.match(stdout, /^ {2}skipped +dns +could not check: no sender domain; set mail\.from$/m)
  const refused = await examine([], { DATABASE_URL: database, AUTH_SECRET: 'short' })
  t.match(refused, { code: 1, found: { 'the rest': /^skipped / }, stdout: /"failed","message":"secret\[0\]: is shorter/ })
})

t.test('every refusal of the options is listed, and what production will refuse', async t => {
  const wrong = { secret: 'short', prefix: 'auth', tokens: { acces: 60 }, publicUrl: 'http://app.example' }
  const lines = (isProduction: boolean) =>
    checkOptions(wrong, isProduction).checks.map(({ status, message }) => `${status} ${message.split(';')[0]}`)
  t.match(lines(true).sort(), [
    /^failed mail\.transport: 'console' is not allowed/, /^failed prefix: must be a path/,
    /^failed publicUrl: must be https/, /^failed secret: is shorter/, /^failed tokens\.acces: unknown option/
  ])
  t.equal(lines(false).filter(line => line.startsWith('failed')).length, 3)
  t.equal(lines(false).filter(line => line.startsWith('warning in production: ')).length, 2)
})

t.test('pending migrations and a clock that differs are found (PostgreSQL)', { skip: !postgresUrl }, async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  const settings = settingsOf({ database })
  const late = () => new Date(Date.now() + 60_000)
  t.match(await checkDatabase(settings, late), [
    { name: 'database', status: 'ok' },
    { name: 'migrations', status: 'failed', message: /^\d+ statements are pending; run: / },
    { name: 'clock', status: 'warning', message: /^differs by (59|60|61) s / }
  ])
})

t.test('an app with its own table of users passes the checks of the database', async t => {
  const opened = postgresUrl ? await postgres.open() : undefined
  if (opened) t.teardown(opened.close)
  for (const database of [temporaryFile(t), ...opened ? [String(opened.database)] : []]) {
    await makeOwnTable(database)
    const account = { emailVerification: 'none', table: { name: 'accounts', columns: { email: 'email_address' } } }
    await migrateCommand({ account, database }, false)
    t.match(await checkDatabase(settingsOf({ account, database }), () => new Date()), [
      { name: 'database', status: 'ok' }, { name: 'migrations', status: 'ok', message: 'up to date' }
    ].concat(database.startsWith('postgres') ? [{ name: 'clock', status: 'ok' }] : []))
  }
})
