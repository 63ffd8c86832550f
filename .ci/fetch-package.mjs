// Fetches packages that are not in the lock file into a cache, where later runs find them.
import { execFile as execFileCallback } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const execFile = promisify(execFileCallback)
const cache = resolve(import.meta.dirname, '../node_modules/.cache/fastify-rest-auth/runtimes')

/** Fetches a package once, checked by npm, and returns its folder; of its files only `members`, if there are any. */
export async function fetchPackage (name, version, members = []) {
  const target = join(cache, `${name.replace('/', '+')}@${version}`)
  if (existsSync(target)) return target
  const unpacked = `${target}.${process.pid}`
  mkdirSync(unpacked, { recursive: true })
  const { stdout } = await execFile('npm', ['pack', '--json', '--pack-destination', unpacked, `${name}@${version}`], {
    maxBuffer: 2 ** 28
  })
  const tarball = join(unpacked, Object.values(JSON.parse(stdout))[0].filename)
  await execFile('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1', ...members])
  rmSync(tarball)
  renameSync(unpacked, target)
  return target
}

/** The program of TypeScript 7, which is compiled for each platform. */
export const fetchTypeScript7 = async () =>
  join(await fetchPackage(`@typescript/typescript-${process.platform}-${process.arch}`, '7.0.2'), 'lib/tsc')
