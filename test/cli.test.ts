/** The command line: its help, `secret`, `migrate`, `sweep` and `openapi`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { commands } from '../src/cli/commands.js'
import { nameOf } from '../src/cli/database.js'
import { loadOptions } from '../src/cli/load-options.js'
import { migrateCommand } from '../src/cli/migrate.js'
import { openapiCommand } from '../src/cli/openapi.js'
import { secretCommand } from '../src/cli/secret.js'
import { defaultNames } from '../src/db/table-names.js'
import { weakness } from '../src/lib/secrets.js'
import { readSigningKey } from '../src/lib/signing-keys.js'
import { notCovered, secret, t } from './support/build.js'
import { optionsFile, root, run as runCommand } from './support/command-line.js'
import { postgres, temporaryFile } from './support/databases.js'

const run = async (...words: string[]) => await runCommand(words)
const runIn = async (cwd: string, words: string[], env: NodeJS.ProcessEnv = {}) => await runCommand(words, { cwd, env })
const migrated = async (options: object): Promise<string> => (await migrateCommand(options, false)).text

t.test('`secret` prints a new, valid secret each time', async t => {
  const [one, two] = await Promise.all([run('secret'), run('secret')])
  t.equal(weakness(one.stdout.trim()), undefined)
  t.not(one.stdout, two.stdout)
})

t.test('a command ends when it is done, also if the options keep connections or timers', async t => {
  const options = optionsFile(t, 'setInterval(() => {}, 1000); export default { docs: false }')
  const { code, stdout } = await run('openapi', '--options', options)
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { openapi: /^3/ }, 'nothing of the output is lost')
})

t.test('`secret --algorithm` prints a valid private key, as a JWK on one line or as PEM', async t => {
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    const [jwk, pem] = await Promise.all([
      run('secret', '--algorithm', algorithm), run('secret', '--algorithm', algorithm, '--pem')
    ])
    t.match(jwk.stdout, /^\{.*\}\n$/)
    t.match(pem.stdout, /^-----BEGIN PRIVATE KEY-----\n[^]+\n-----END PRIVATE KEY-----\n$/)
    for (const { stdout } of [jwk, pem]) t.match(readSigningKey(stdout, algorithm).secret, { private: /PRIVATE KEY/ })
    t.not(secretCommand(algorithm, false).text, secretCommand(algorithm, false).text)
  }
  t.match(await run('secret', '--algorithm', 'RS256'), {
    code: 1,
    stdout: '',
    stderr: 'secret: --algorithm must be HS256, EdDSA or ES256\n'
  })
  t.match(await run('secret', '--pem'), {
    code: 1,
    stdout: '',
    stderr: 'secret: --pem requires --algorithm EdDSA or ES256\n'
  })
})

t.test('`migrate` works on the options of a module, or on the database it is given', async t => {
  const database = temporaryFile(t)
  const auth = { database, userFields: { level: { schema: { type: 'integer' } } } }
  const options = optionsFile(t, `export const auth = ${JSON.stringify(auth)}`)
  const { stdout, ...ended } = await run('migrate', '--options', options)
  t.same(ended, { code: 0, stderr: '' })
  t.equal(stdout.replace(/: \d+ /, ': 99 '), `${database}: 99 statements run\n`)
  t.match(await run('migrate', '--options', options), { code: 0, stdout: `${database}: up to date\n` })
  t.match(await run('migrate', '--options', options, '--database', ':memory:', '--print'), {
    code: 0,
    stdout: /ALTER TABLE "users" ADD COLUMN "level" integer;/
  })
  t.equal(await migrated({ database, userFields: {} }), `${database}: up to date`)
})

t.test('`sweep` deletes expired rows of the database in the options', async t => {
  const database = temporaryFile(t)
  const options = optionsFile(t, `export const auth = { database: ${JSON.stringify(database)} }`)
  t.match(await run('sweep', '--options', options), { code: 1, stderr: /no such table/ })
  await migrateCommand({ database }, false)
  t.match(await run('sweep', '--options', options), { code: 0, stdout: `${database}: nothing deleted\n` })
  const client = new BetterSqlite3(database)
  client.exec("INSERT INTO auth_rate_limits VALUES ('a', 1, 1, 0), ('b', 1, 1, 0), ('c', 1, 1, 9999999999999)")
  client.close()
  t.match(await run('sweep', '--options', options), { code: 0, stdout: `${database}: 2 limits deleted\n` })
  t.match(await runIn(dirname(temporaryFile(t)), ['sweep']), { code: 1, stderr: /^sweep: there is no auth\.sqlite here/ })
})

t.test('`migrate` keeps the names of the tables, also on the database it is given', async t => {
  const [database, other] = [temporaryFile(t), temporaryFile(t)]
  const auth = { database: { url: database, tables: 'staff_' } }
  const options = optionsFile(t, `export const auth = ${JSON.stringify(auth)}`)
  t.match(await run('migrate', '--options', options, '--print'), { stdout: /^BEGIN;\n.*"staff_rest_auth_schema"/ })
  t.match(await run('migrate', '--options', options), { code: 0, stdout: /: \d+ statements run\n$/ })
  t.match(await run('migrate', '--options', options, '--database', other), {
    code: 0,
    stdout: /: \d+ statements run\n$/
  })
  for (const file of [database, other]) {
    const client = new BetterSqlite3(file)
    const tables = client.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]
    client.close()
    t.equal(tables.length, defaultNames.length)
    t.ok(tables.every(name => name.startsWith('staff_')))
  }
})

t.test('`migrate` without options is for an auth.sqlite that exists, and creates none', async t => {
  const folder = dirname(temporaryFile(t))
  for (const words of [['migrate'], ['migrate', '--print']]) {
    t.match(await runIn(folder, words), {
      code: 1,
      stdout: '',
      stderr: /^migrate: there is no auth\.sqlite here; name [^\n]* --options \.\/auth\.ts, [^\n]* --database\n$/
    })
  }
  t.same(readdirSync(folder), [])
  writeFileSync(join(folder, 'auth.sqlite'), '')
  t.match(await runIn(folder, ['migrate']), { code: 0, stdout: /^auth\.sqlite: \d+ statements run\n$/ })
})

t.test('`migrate` names the database on PostgreSQL, without its password', async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  if (typeof database !== 'string') {
    t.match(await migrated({ database }), /^the database of your options' Drizzle instance: /)
    return
  }
  const { host, pathname } = new URL(database)
  const answer = await migrated({ database })
  t.match(answer.replace(/: \d+ /, ': 99 '), `postgres://${host}${pathname}: 99 statements run`)
  t.notMatch(answer, '@')
})

t.test('`migrate` names a database behind a Unix socket, whose URL has no host', async t => {
  const { database, close } = await postgres.open()
  t.teardown(close)
  if (typeof database !== 'string') return
  const { username, password, hostname, port, pathname, search } = new URL(database)
  // pg takes the host of the query, and this form is no URL to Node.js.
  const query = `${search === '' ? '?' : `${search}&`}host=${hostname}&port=${port}`
  const answer = await migrated({ database: `postgres://${username}:${password}@${pathname}${query}` })
  t.match(answer.replace(/: \d+ /, ': 99 '), `postgres://${pathname}: 99 statements run`)
})

t.test('no message has the password of a database URL, however the URL is written', async t => {
  const source = temporaryFile(t)
  for (const [words, url, expected] of [
    [['users', 'list'], ' postgres://bob:hunter2@127.0.0.1:1/x\n', /^fastify-rest-auth: DATABASE_URL: .*ECONNREFUSED/],
    [['users', 'list'], 'POSTGRES://bob:hunter2@127.0.0.1:1/x', /^fastify-rest-auth: DATABASE_URL: .*ECONNREFUSED/],
    [['sweep'], '"postgres://bob:hunter2@db/x"', / DATABASE_URL: can't open "postgres:\/\/db\/x"; give /],
    [['sweep'], 'mysql://bob:hunter2@db/x', / DATABASE_URL: can't open mysql:\/\/db\/x; give a SQLite file or /],
    [['migrate'], 'mysql://bob:hun@ter2@db/x', /can't open mysql:\/\/db\/x; give /],
    [['migrate', '--print'], 'MySQL://bob:hun?ter2@db/x', /can't open MySQL:\/\/…; give /],
    [['doctor'], 'mysql://bob:hun/ter2@db/x', /^ {2}failed +database +database: can't open mysql:\/\/db\/x; give /m],
    [['import', 'django', 'mysql://bob:hunter2@db/x'], source, /^import: mysql:\/\/db\/x: there is no such file$/m],
    [['migrate', 'postgres://bob:hun/ter2@db/x'], source, /^migrate: unexpected "postgres:\/\/db\/x"$/m]
  ] as const) {
    const { code, stdout, stderr } = await runIn(root, [...words], { DATABASE_URL: url, AUTH_SECRET: secret })
    t.not(code, 0)
    t.match(stdout + stderr, expected)
    t.notMatch(stdout + stderr, /hun|ter2/)
  }
})

t.test('a name of a database keeps what is not secret', async t => {
  for (const [database, name] of [
    ['./data/me@work/auth.sqlite', './data/me@work/auth.sqlite'],
    ['C:\\data\\auth.sqlite', 'C:\\data\\auth.sqlite'],
    ['postgres://bob@/app?host=/run/postgresql', 'postgres:///app'],
    ['postgres://db1,db2:5433/app?password=hunter2', 'postgres://db1,db2:5433/app'],
    ['postgres://db/app?user=bob@cloud&password=hunter2', 'postgres://…'],
    ['mysql:bob:hunter2@db/app', 'mysql:db/app']
  ]) t.equal(nameOf(database), name)
})

t.test('the printed SQL is one transaction, which a tool can run', async t => {
  const database = temporaryFile(t)
  const { text: sql } = await migrateCommand({ database }, true)
  t.match(sql, /^BEGIN;\n[^]*\nCOMMIT;$/)
  const client = new BetterSqlite3(database)
  // The last statement fails, and so nothing is done.
  t.throws(() => client.exec(sql.replace(/COMMIT;$/, 'SELECT nonsense;')))
  client.exec('ROLLBACK')
  t.equal(client.prepare('SELECT count(*) FROM sqlite_master').pluck().get(), 0)
  client.exec(sql)
  client.close()
  t.equal(await migrated({ database }), `${database}: up to date`)
})

t.test('the options may be TypeScript: with the tsx of the app, or if Node.js supports it', async t => {
  const source = 'const file: string = \':memory:\'\nexport const auth: object = { database: file }\n'
  const withTsx = join(t.testdir({ 'auth.mts': source }), 'auth.mts')
  t.match(await runIn(root, ['migrate', '--options', withTsx], notCovered), { code: 0, stdout: /: \d+ statements run\n$/ })
  const without = join(dirname(temporaryFile(t)), 'auth.mts')
  writeFileSync(without, source)
  const supported = 'typescript' in process.features && process.features.typescript !== false
  t.match(await run('migrate', '--options', without), supported
    ? { code: 0 }
    : { code: 1, stderr: /auth\.mts: this version of Node\.js can't load it; install tsx \(npm install -D tsx\)/ })
})

t.test('options compiled to CommonJS are found, as auth and as default', async t => {
  for (const exported of ['auth', 'default']) {
    const file = join(dirname(temporaryFile(t)), 'auth.cjs')
    writeFileSync(file, `
      Object.defineProperty(exports, '__esModule', { value: true })
      exports.${exported} = { database: 'x.sqlite' }
    `)
    t.same(await loadOptions(file), { database: 'x.sqlite' })
  }
})

t.test('`openapi` prints the document for the given options', async t => {
  const { stdout } = await run(
    'openapi', '--options', optionsFile(t, `export default { secret: '${secret}', prefix: '/accounts' }`)
  )
  t.same(
    Object.keys(JSON.parse(stdout).paths),
    [
      '/registration', '/registration/verify-email', '/registration/resend-email',
      '/registration/account-confirm-email/{key}', '/login', '/reauthenticate', '/logout', '/logout/all',
      '/token/refresh', '/token/verify', '/sessions', '/sessions/{id}', '/user', '/password/change',
      '/password/reset', '/password/reset/confirm', '/password/reset/confirm/{uid}/{token}'
    ].map(path => `/accounts${path}`)
  )
  t.match(JSON.parse((await openapiCommand({ secret })).text), { openapi: '3.1.0' })
})

t.test('a command that fails says why in one line', async t => {
  t.match(await run('migrate', '--options', optionsFile(t, 'export const other = 1')), {
    code: 1,
    stderr: /exports neither auth nor a default object\n$/
  })
  t.match(await run('migrate', '--database', 'mysql://localhost'), {
    code: 1,
    stderr: /^fastify-rest-auth: database: /
  })
  await t.rejects(loadOptions('./nowhere.js'))
  t.same(await loadOptions(undefined), {})
})

t.test('the help names every command, and each command shows its own', async t => {
  const { code, stdout, stderr } = await run('--help')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  for (const { name, summary, load } of commands) {
    t.ok(stdout.includes(`  ${name}  `) && stdout.includes(summary), name)
    const { flags } = await load()
    const help = await run(...name.split(' '), '--help')
    t.equal(help.code, 0)
    t.match(help.stdout, `usage: fastify-rest-auth ${name} `)
    for (const flag of [...Object.keys(flags), 'json', 'help']) t.match(help.stdout, new RegExp(`^  --${flag}\\b`, 'm'))
  }
  t.match(await run('users', '--help'), {
    code: 0, stdout: /^usage: fastify-rest-auth users <command>\n\n {2}users create/
  })
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.same(await run('--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('an unknown command or flag is one line and the usage on stderr, with exit code 2', async t => {
  for (const [words, line] of [
    [[], 'give a command'],
    [['nonsense'], 'unknown command "nonsense"'],
    [['users'], 'give a command'],
    [['users', 'frobnicate'], 'unknown command "users frobnicate"'],
    [['secret', '--nonsense'], "secret: unknown option '--nonsense'"],
    [['secret', 'nonsense'], 'secret: unexpected "nonsense"'],
    [['users', 'show'], 'users show: <pk, address or username> is missing'],
    [['migrate', '--options'], "migrate: option '--options <value>' argument missing"]
  ] as const) {
    const { code, stdout, stderr } = await run(...words)
    t.same({ code, stdout, line: stderr.split('\n')[0] }, { code: 2, stdout: '', line })
    t.match(stderr, /^\nusage: fastify-rest-auth /m)
  }
  t.same(await run('secret', '--nonsense', '--json'), {
    code: 2, stdout: '', stderr: `${JSON.stringify({ error: "secret: unknown option '--nonsense'" })}\n`
  })
})

t.test('with --json, results and errors are JSON', async t => {
  const database = temporaryFile(t)
  const secretOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).secret
  t.equal(weakness(secretOf(await run('secret', '--json'))), undefined)
  const { pending } = JSON.parse((await run('migrate', '--database', database, '--print', '--json')).stdout)
  t.match(pending, [/CREATE TABLE/])
  const { stdout } = await run('migrate', '--database', database, '--json')
  t.same(JSON.parse(stdout), { database, run: pending })
  const swept = await run('sweep', '--database', database, '--json')
  t.match(JSON.parse(swept.stdout), { database, deleted: { mails: 0 } })
  t.same(await run('migrate', '--database', 'mysql://localhost', '--json').then(({ code, stdout, stderr }) =>
    ({ code, stdout, keys: Object.keys(JSON.parse(stderr)) })), { code: 1, stdout: '', keys: ['error'] })
})

t.test('without --options, the options come from the environment', async t => {
  const database = temporaryFile(t)
  t.match(await runIn(root, ['migrate'], { DATABASE_URL: database }), {
    code: 0, stdout: new RegExp(`^${database}: \\d+ statements run\\n$`)
  })
  const { stdout } = await runIn(root, ['openapi'], { PUBLIC_URL: 'https://app.example', AUTH_SECRET: secret })
  t.match(JSON.parse(stdout).servers, [{ url: 'https://app.example' }])
  for (const [env, stderr] of [
    [{ SMTP_URL: 'localhost' }, /^fastify-rest-auth: SMTP_URL: must be an smtp:\/\/ or smtps:\/\/ URL\n$/],
    [{ PUBLIC_URL: 'app.example' }, /^fastify-rest-auth: PUBLIC_URL: must be an address such as [^\n]+\n$/],
    [{ AUTH_SECRET: 'short' }, /^fastify-rest-auth: AUTH_SECRET: is shorter than 32 bytes; [^\n]+\n$/],
    [{ REDIS_URL: 'localhost' }, /^fastify-rest-auth: REDIS_URL: must be a redis:\/\/ URL or [^\n]+\n$/],
    [
      { NODE_ENV: 'production', SMTP_URL: 'smtp://localhost' },
      /^fastify-rest-auth: AUTH_SECRET: is required [^\n]+\n$/
    ]
  ] as const) t.match(await runIn(root, ['openapi'], env), { code: 1, stdout: '', stderr })
})

t.test('`secret --rotate` puts a new secret before the current ones, and says when the old one can go', async t => {
  const old = `${secret}-older`
  const rotated = await runIn(root, ['secret', '--rotate'], { AUTH_SECRET: `${secret},${old}` })
  const [fresh = '', ...rest] = rotated.stdout.trim().split(',')
  t.equal(weakness(fresh), undefined)
  t.same(rest, [secret, old])
  t.match(rotated.stderr, /wait for 5 minutes; then all but the first can go/)
  const options = optionsFile(t, `export default { secret: '${secret}', tokens: { access: 1800 } }`)
  const ofModule = await run('secret', '--rotate', '--options', options)
  t.match(JSON.parse(ofModule.stdout), [/^[\w-]{43}$/, secret])
  t.match(ofModule.stderr, /wait for 30 minutes/)
  for (const { stderr } of [rotated, ofModule]) {
    for (const shown of [fresh, secret, old]) t.notMatch(stderr, shown, 'stderr may end in a log')
  }
  t.match(JSON.parse((await run('secret', '--rotate', '--options', options, '--json')).stdout), {
    secret: [String, secret], removeAfterSeconds: 1800
  })
  for (const [words, stderr] of [
    [['--rotate'], /there is none in the environment, as AUTH_SECRET\n$/],
    [['--rotate', '--algorithm', 'EdDSA'], /docs\/signing\.md/],
    [['--options', options], /^secret: --options requires --rotate\n$/]
  ] as const) t.match(await run('secret', ...words), { code: 1, stdout: '', stderr })
})

t.test('docs/command-line.md lists the commands and their flags, each with an example', async t => {
  const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z -]+)` \| .* \| (.*)\|$/gm)].map(([, name, flags]) => ({ name, flags }))
  t.same(rows.map(({ name }) => name), commands.map(({ name }) => name))
  for (const { name, load } of commands) {
    const { flags: all } = await load()
    const { options: _options, database: _database, under: _under, ...own } = all
    const listed = rows.find(row => row.name === name)?.flags?.matchAll(/--([a-z-]+)/g) ?? []
    t.same([...listed].map(([, flag]) => flag).sort(), Object.keys(own).sort(), name)
    t.match(page, new RegExp(`fastify-rest-auth ${name}\\b.*`), name)
  }
})
