/** A real PgBouncer in front of a test's database. Undefined where it is not installed; CI must have it. */
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort, unprivileged } from './servers.js'

const binary = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer']
  .find(path => existsSync(path))
if (!binary && process.env.CI) throw new Error('CI must not skip PgBouncer: install the package pgbouncer')

export const hasPgBouncer = binary !== undefined

/** The same database through PgBouncer in transaction mode, with two connections for all clients. */
export async function startPgBouncer (t: Test, url: string): Promise<string> {
  const { hostname, port, username, pathname } = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  const listenPort = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, `[databases]
* = host=${hostname} port=${port || 5432} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
`)
  const account = unprivileged()
  if (account) for (const path of [folder, file]) chownSync(path, account.uid, account.gid)
  chmodSync(folder, 0o700)
  const bouncer = spawn(binary ?? '', ['-q', file], { stdio: 'ignore', ...account })
  t.teardown(async () => {
    const isGone = new Promise(resolve => bouncer.once('exit', resolve))
    if (bouncer.exitCode === null && bouncer.kill('SIGKILL')) await isGone
    rmSync(folder, { recursive: true })
  })
  await answering(listenPort)
  return `postgres://${username}@127.0.0.1:${listenPort}${pathname}`
}

/** Another process: the only way to know that it listens is to ask. */
async function answering (port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise(resolve => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await sleep(50)
  }
  throw new Error('PgBouncer does not answer')
}
