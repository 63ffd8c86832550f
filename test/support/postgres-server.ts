/** A PostgreSQL server of the test's own, to be stopped and started while apps use it. */
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { execute } from './databases.js'
import { freePort, unprivileged } from './servers.js'

const run = promisify(execFile)

const debian = '/usr/lib/postgresql'
const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
const folders = [...versions.map(version => join(debian, version, 'bin')), '/opt/homebrew/bin', '/usr/bin']
const binaries = folders.find(folder => existsSync(join(folder, 'pg_ctl')) && existsSync(join(folder, 'initdb')))
if (!binaries && process.env.CI) throw new Error('CI must not skip PostgreSQL: install the package postgresql')

export const hasPostgresServer = binaries !== undefined

export interface PostgresServer {
  /** Creates a database, and returns its URL. */
  create: (name: string) => Promise<string>
  /** As if its power were cut: clients are cut off, and nothing is written any more. */
  stop: () => Promise<void>
  /** Resolves when it accepts connections. */
  start: () => Promise<void>
}

/** Starts a server on a free port, which is deleted after the test. */
export async function startPostgresServer (t: Test): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const account = unprivileged()
  if (account) chownSync(folder, account.uid, account.gid)
  chmodSync(folder, 0o700)
  const port = await freePort()
  // The machine stays up, so what the system was given to write is safe without waiting for the disk.
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`
  const call = async (program: string, ...args: string[]) =>
    await run(join(binaries ?? '', program), ['-D', join(folder, 'data'), ...args], { cwd: folder, ...account })
  const start = async () => {
    await call('pg_ctl', 'start', '-w', '-t', '120', '-l', join(folder, 'log'), '-o', settings)
  }
  const stop = async () => { await call('pg_ctl', 'stop', '-m', 'immediate') }

  await call('initdb', '-U', 'postgres', '-A', 'trust', '--no-sync')
  await start()
  t.teardown(async () => {
    // Does nothing if the test left it stopped.
    await stop().catch(() => {})
    rmSync(folder, { recursive: true })
  })
  const urlOf = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`
  return {
    create: async name => {
      await execute(urlOf('postgres'), `CREATE DATABASE ${name}`)
      return urlOf(name)
    },
    stop,
    start
  }
}
