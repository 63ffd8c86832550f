// Tells the story in story.mjs on each Node with each version of the database packages, two at a time, starts an app of
// CommonJS there, and runs the commands of the bin where only one driver is installed. Prints a line for each, and
// exits with 1 if one went wrong. Usage: node runtimes.mjs FOLDER [all], where FOLDER/package is the unpacked package
// and FOLDER/commonjs is what commonjs.mjs left there.
import { execFile as execFileCallback } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { fetchPackage } from './fetch-package.mjs'

const execFile = promisify(execFileCallback)
const [folder, mode] = process.argv.slice(2)
const root = resolve(import.meta.dirname, '..')
const postgresUrl = process.env.POSTGRES_URL
const ownMajor = Number.parseInt(process.versions.node)

// The packages that are not in the lock file. The lowest Node is the one that `npm ci` ran with.
const nodeVersions = ['20.20.2', '22.23.3', '24.21.0', '26.12.1']
const newSqlite = '13.2.0'
const newDrizzle = '1.0.0-rc.5'

/** Of Node only the program and, to compile for it, its headers. */
async function fetchNode (version) {
  if (Number.parseInt(version) === ownMajor) return { major: ownMajor, program: process.execPath }
  const name = `node-${process.platform}-${process.arch}`
  const home = await fetchPackage(name, version, ['package/bin', 'package/include'])
  return { major: Number.parseInt(version), program: join(home, 'bin/node'), home }
}

/** A folder of an app that has our dependencies, except for what `replaced` says; undefined leaves a package out. */
function createApp (name, replaced) {
  const modules = join(folder, name, 'node_modules')
  mkdirSync(modules, { recursive: true })
  const packages = { 'fastify-rest-auth': join(folder, 'package'), mjml: undefined, ...replaced }
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (!(entry in packages)) symlinkSync(join(root, 'node_modules', entry), join(modules, entry))
  }
  for (const [entry, target] of Object.entries(packages)) if (target) symlinkSync(target, join(modules, entry))
  for (const file of ['story.mjs', 'commonjs/story.cjs', 'commonjs/app.js']) {
    cpSync(join(folder, file), join(folder, name, basename(file)))
  }
  return join(folder, name)
}

// Each package finds its neighbours in the folder of the app, not where the link leads.
const flags = ['--preserve-symlinks', '--preserve-symlinks-main']

async function run (program, cwd, words) {
  const { stdout } = await execFile(program, [...flags, ...words], { cwd, timeout: 60_000, maxBuffer: 2 ** 28 })
  return stdout
}

/** better-sqlite3 12 has a binary for the Node of `npm ci` alone; compiling one takes a minute of processor time. */
async function compileOldSqlite ({ program, home }) {
  const target = join(folder, 'better-sqlite3-12')
  cpSync(join(root, 'node_modules/better-sqlite3'), target, { recursive: true })
  const { stdout } = await execFile('sh', ['-c', 'command -v npm'])
  const gyp = resolve(dirname(realpathSync(stdout.trim())), '../node_modules/node-gyp/bin/node-gyp.js')
  await execFile(program, [gyp, 'rebuild', '--release', `--nodedir=${home}`], { cwd: target, maxBuffer: 2 ** 28 })
  return target
}

function refusalOf (sqlite, { major, compiled }) {
  if (sqlite === newSqlite) return major < 22 ? 'crashes Node' : undefined
  if (major >= 24) return 'can abort the process'
  return compiled || major === ownMajor ? undefined : 'has no binary for Node'
}

async function createCells (database) {
  const [sqlite13, drizzle1, ...nodes] = await Promise.all([
    fetchPackage('better-sqlite3', newSqlite), fetchPackage('drizzle-orm', newDrizzle), ...nodeVersions.map(fetchNode)
  ])
  const old = join(root, 'node_modules')
  const node22 = nodes.find(({ major }) => major === 22)
  const compiled = mode === 'all' && node22.home ? await compileOldSqlite(node22) : undefined
  const cells = []
  for (const [drizzle, orm] of [['0.45', join(old, 'drizzle-orm')], [newDrizzle, drizzle1]]) {
    const app = (name, more) => createApp(`${name}-${drizzle}`, { 'drizzle-orm': orm, pg: undefined, ...more })
    const postgres = app('postgres', { 'better-sqlite3': undefined, pg: join(old, 'pg') })
    const apps = {
      12: app('sqlite-12', { 'better-sqlite3': join(old, 'better-sqlite3') }),
      [newSqlite]: app('sqlite-13', { 'better-sqlite3': sqlite13 })
    }
    if (compiled) apps.compiled = app('sqlite-12-for-22', { 'better-sqlite3': compiled })
    for (const node of nodes) {
      const script = (file, what, cwd, ...words) => cells.push({
        name: `node ${node.major} · ${what.padEnd(21)} · drizzle ${drizzle}`,
        work: () => run(node.program, cwd, [file, ...words])
      })
      const cell = (...given) => script('story.mjs', ...given)
      for (const sqlite of ['12', newSqlite]) {
        const own = node === node22 && sqlite === '12' && compiled
        const refusal = refusalOf(sqlite, { ...node, compiled: own })
        // It comes before Drizzle is loaded.
        if (refusal && drizzle === newDrizzle) continue
        cell(`better-sqlite3 ${sqlite}`, own ? apps.compiled : apps[sqlite], ':memory:', ...(refusal ? [refusal] : []))
      }
      if (database) cell('postgres', postgres, database)
      script('story.cjs', 'require', apps[node.major < 22 ? '12' : newSqlite], 'app.js')
    }
    if (drizzle !== newDrizzle) {
      cells.push(...commandCells({ drizzle, postgres, sqlite: apps[ownMajor < 24 ? '12' : newSqlite], database }))
    }
  }
  return cells
}

/** `migrate` and `openapi` of the bin, where the other driver is not installed. */
function commandCells ({ drizzle, postgres, sqlite, database }) {
  const bin = 'node_modules/fastify-rest-auth/dist/src/cli/main.js'
  const cell = (cwd, what, expected, ...words) => ({
    name: `node ${ownMajor} · ${what.padEnd(21)} · drizzle ${drizzle}`,
    work: async () => {
      const answer = await run(process.execPath, cwd, [bin, ...words])
      if (!answer.includes(expected)) throw new Error(`expected ${expected}, got ${answer}`)
      return 'ok'
    }
  })
  const nowhere = 'postgres://127.0.0.1:1/none'
  return [
    cell(postgres, 'openapi, only pg', '"openapi": "3.1.0"', 'openapi', '--database', nowhere),
    cell(sqlite, 'openapi, no pg', '"openapi": "3.1.0"', 'openapi'),
    cell(sqlite, 'migrate, no pg', 'CREATE TABLE', 'migrate', '--print', '--database', ':memory:'),
    ...(database ? [cell(postgres, 'migrate, only pg', '', 'migrate', '--print', '--database', database)] : [])
  ]
}

async function report (cells) {
  const [started, failed] = [performance.now(), []]
  const queue = [...cells]
  const work = async () => {
    for (let cell = queue.shift(); cell; cell = queue.shift()) {
      try {
        console.log(`${cell.name}: ${(await cell.work()).trim()}`)
      } catch (error) {
        failed.push(cell)
        console.log(`${cell.name}: FAILED ${error.signal ?? ''}\n${error.stderr || error.message}`)
      }
    }
  }
  await Promise.all([work(), work()])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${cells.length} runtimes, ${failed.length} failed, in ${seconds} s`)
  if (failed.length > 0) process.exitCode = 1
}

/** A database of its own on the server of POSTGRES_URL, which is dropped at the end. */
async function withDatabase (work) {
  if (!postgresUrl) return await work(undefined)
  const execute = async statement => {
    const client = new pg.Client({ connectionString: postgresUrl })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  const name = `rest_auth_published_${process.pid}`
  await execute(`CREATE DATABASE ${name}`)
  try {
    return await work(Object.assign(new URL(postgresUrl), { pathname: `/${name}` }).href)
  } finally {
    await execute(`DROP DATABASE ${name} WITH (FORCE)`)
  }
}

await withDatabase(async database => await report(await createCells(database)))
