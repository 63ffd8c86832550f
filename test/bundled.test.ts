/** An app that a bundler has packed into one file: the package finds its own files, or says what to do. */
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { bundle, external } from '../examples/bundled/build.js'
import { alice, loaders, password, secret, t, type Test } from './support/build.js'
import { followLog, listening, registerAt } from './support/child-app.js'

const root = resolve(import.meta.dirname, '..')

const app = (migrate: boolean) => `
  import Fastify from 'fastify'
  import restAuth from 'fastify-rest-auth'
  async function start () {
    const app = Fastify({ pluginTimeout: 0 })
    await app.register(restAuth, { secret: '${secret}', database: ':memory:', migrate: ${migrate} })
    await app.ready()
    console.log('started', app.restAuth.openapi().info.version)
    await app.close()
  }
  start().catch(error => { console.log(error.message) })
`

/** The folder of an app that has migrations, templates and a package.json of its own, also one folder further up. */
function createHost (t: Test, name = 'host'): string {
  const above = mkdtempSync(join(tmpdir(), 'rest-auth-'))
  t.teardown(() => rmSync(above, { recursive: true }))
  const host = join(above, 'packages', 'host')
  for (const folder of [above, join(above, 'packages'), host]) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '9.9.9' }))
    cpSync(join(root, 'migrations'), join(folder, 'migrations'), { recursive: true })
    writeFileSync(join(folder, 'migrations', 'sqlite', '0000_accounts.sql'), 'CREATE TABLE of_the_host (id text)')
    mkdirSync(join(folder, 'email-templates'))
  }
  symlinkSync(join(root, 'node_modules'), join(above, 'node_modules'))
  return host
}

const native = /^(better-sqlite3|@node-rs\/.+|pg|pg-native|mjml|@fastify\/swagger-ui)$/

interface Bundle { format: 'esm' | 'cjs', file: string, migrate?: boolean, external?: boolean }

/** What the bundled app says when it starts. */
async function run (host: string, { format, file, migrate = true, external = false }: Bundle): Promise<string> {
  const outfile = join(host, file)
  await build({
    stdin: { contents: app(migrate), resolveDir: host },
    bundle: true,
    platform: 'node',
    format,
    outfile,
    logLevel: 'silent',
    plugins: [{
      name: 'ours',
      setup: ({ onResolve }) => {
        onResolve({ filter: /^[^./]/ }, ({ path }) => {
          if (path === 'fastify-rest-auth' && !external) return { path: join(root, 'src/index.ts') }
          // A CommonJS bundle can't load the default export of an ES module that stays outside.
          return format === 'esm' || native.test(path) ? { path, external: true } : undefined
        })
      }
    }]
  })
  const { stdout } = await promisify(execFile)(process.execPath, [...external ? loaders : [], outfile], {
    cwd: external ? root : host, env: { ...process.env, ...!external && { NODE_OPTIONS: '' } }
  })
  return stdout
}

const refusal = /^fastify-rest-auth: a bundler has .* mark fastify-rest-auth as external \(esbuild: --external:.*\n$/

t.test('a bundle is refused in one sentence, wherever it lies, and takes no file of the app for ours', async t => {
  const bundles: Bundle[] = [
    { format: 'esm', file: 'app.mjs' },
    { format: 'esm', file: 'dist/app.mjs' },
    { format: 'esm', file: 'dist/server/app.mjs' },
    { format: 'esm', file: 'dist/src/lib/app.mjs' },
    { format: 'esm', file: 'dist/server/app.mjs', migrate: false },
    { format: 'cjs', file: 'dist/app.cjs' },
    { format: 'cjs', file: 'dist/server/app.cjs', migrate: false }
  ]
  const host = createHost(t)
  for (const bundle of bundles) t.match(await run(host, bundle), refusal, `${bundle.format} ${bundle.file}`)
})

t.test('a name like ours does not make the files of an app ours', async t => {
  const host = createHost(t, 'fastify-rest-auth')
  t.match(await run(host, { format: 'esm', file: 'dist/server/app.mjs' }), refusal)
  t.match(await run(host, { format: 'esm', file: 'src/lib/app.mjs' }), refusal)
  const other = createHost(t)
  t.match(await run(other, { format: 'esm', file: 'src/lib/own-files.js' }).catch(() => ''), /^$|bundler/)
})

t.test('a bundle that loads the package from node_modules starts', async t => {
  const host = createHost(t)
  mkdirSync(join(host, 'node_modules'))
  symlinkSync(root, join(host, 'node_modules', 'fastify-rest-auth'))
  symlinkSync(join(root, 'node_modules', 'fastify'), join(host, 'node_modules', 'fastify'))
  const started = await run(host, { format: 'esm', file: 'dist/app.mjs', external: true })
  t.match(started, /^started (?!9\.9\.9)\d+\.\d+\.\d+\n$/)
})

t.test('a bundle with the files of the package beside it creates the tables, and sends the built-in mails', async t => {
  const host = mkdtempSync(join(tmpdir(), 'rest-auth-'))
  t.teardown(() => rmSync(host, { recursive: true }))
  // Nothing but what the example says must be installed.
  for (const name of external) {
    const link = join(host, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  const entry = join(root, 'examples/bundled/app.ts')
  await bundle(entry, join(host, 'dist'), { conditions: ['fastify-rest-auth:source'], logLevel: 'silent' })
  const child = spawn(process.execPath, ['dist/app.mjs'], {
    cwd: host,
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', DATABASE_URL: ':memory:' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const find = followLog(child.stdout)
  const url = await find(listening)
  const access = await registerAt(url, alice.email, password)
  t.match(await find(/please confirm that the address is yours:\s+(\S+)/), '/auth/registration/account-confirm-email/')
  const answer = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${access}` } })
  t.same(await answer.json(), { hello: alice.email })
  t.match(await (await fetch(`${url}/docs/`)).text(), 'Swagger UI')
})
