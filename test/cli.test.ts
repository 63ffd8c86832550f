/** The command line: `secret`, `migrate` and `openapi`. */
import { execFile } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { loadOptions } from '../src/cli/load-options.js'
import { migrateCommand } from '../src/cli/migrate.js'
import { openapiCommand } from '../src/cli/openapi.js'
import { secretCommand } from '../src/cli/secret.js'
import { weakness } from '../src/lib/secrets.js'
import { readSigningKey } from '../src/lib/signing-keys.js'
import { loaders, secret, t, type Test } from './support/build.js'
import { defaultNames } from '../src/db/table-names.js'
import { postgres, temporaryFile } from './support/databases.js'

const root = resolve(import.meta.dirname, '..')

// Also for a child in another folder.
const rootUrl = pathToFileURL(root).href
const absoluteLoaders = loaders.map(argument => argument.replace('--import=./', `--import=${rootUrl}/`))
const run = async (...words: string[]) => await runIn(root, words)

interface Outcome { code: number, stdout: string, stderr: string }

async function runIn (cwd: string, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  try {
    // The loaders of this process, so that coverage stays right.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...absoluteLoaders, join(root, 'src/cli/main.ts'), ...words
    ], { cwd, env: { ...process.env, ...env } })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome
    return { code, stdout, stderr }
  }
}

function optionsFile (t: Test, source: string): string {
  const file = join(dirname(temporaryFile(t)), 'auth.mjs')
  writeFileSync(file, source)
  return file
}

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
    t.not(secretCommand(algorithm, false), secretCommand(algorithm, false))
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
  t.equal(await migrateCommand({ database, userFields: {} }, false), `${database}: up to date`)
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
    t.match(await migrateCommand({ database }, false), /^the database of your options' Drizzle instance: /)
    return
  }
  const { host, pathname } = new URL(database)
  const answer = await migrateCommand({ database }, false)
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
  const answer = await migrateCommand({ database: `postgres://${username}:${password}@${pathname}${query}` }, false)
  t.match(answer.replace(/: \d+ /, ': 99 '), `postgres://${pathname}: 99 statements run`)
})

t.test('the printed SQL is one transaction, which a tool can run', async t => {
  const database = temporaryFile(t)
  const sql = await migrateCommand({ database }, true)
  t.match(sql, /^BEGIN;\n[^]*\nCOMMIT;$/)
  const client = new BetterSqlite3(database)
  // The last statement fails, and so nothing is done.
  t.throws(() => client.exec(sql.replace(/COMMIT;$/, 'SELECT nonsense;')))
  client.exec('ROLLBACK')
  t.equal(client.prepare('SELECT count(*) FROM sqlite_master').pluck().get(), 0)
  client.exec(sql)
  client.close()
  t.equal(await migrateCommand({ database }, false), `${database}: up to date`)
})

// From then on, tsx compiles our sources too, to other lines than this process, with which tap would mix them up.
const notCovered = { _TAPJS_PROCESSINFO_COVERAGE_: '0' }

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
  t.match(JSON.parse(await openapiCommand({ secret })), { openapi: '3.1.0' })
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
  t.match(await run('nonsense'), { code: 2, stdout: /^usage: / })
  t.match(await run('--help'), { code: 0, stdout: /^usage: / })
  await t.rejects(loadOptions('./nowhere.js'))
  t.same(await loadOptions(undefined), {})
})
