/** Runs the bin in a process of its own, with the loaders of this one, so that coverage stays right. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { loaders, type Test } from './build.js'
import { temporaryFile } from './databases.js'

export const root = resolve(import.meta.dirname, '../..')

// Also for a child in another folder.
const rootUrl = pathToFileURL(root).href
const absoluteLoaders = loaders.map(argument => argument.replace('--import=./', `--import=${rootUrl}/`))

/** What Node.js gets to run the bin with these words. */
export const argumentsFor = (words: readonly string[]): string[] =>
  [...absoluteLoaders, join(root, 'src/cli/main.ts'), ...words]

/** Of this process, without those that the commands read. */
function environmentWith (changes: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { REDIS_URL: _redis, ...environment } = process.env
  return { ...environment, ...changes }
}

export interface Outcome { code: number | null, stdout: string, stderr: string }
interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** For its standard input. */
  input?: string
}

export const start = (
  words: readonly string[], { cwd = root, env = {} }: RunOptions = {}
): ChildProcessWithoutNullStreams => spawn(process.execPath, argumentsFor(words), { cwd, env: environmentWith(env) })

/** Runs a command to its end. */
export async function run (words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(words, options)
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  child.stdin.on('error', () => {}).end(options.input ?? '')
  const [code] = await once(child, 'close')
  return { code, stdout: await stdout, stderr: await stderr }
}

/** A module of options, in a folder of its own. */
export function optionsFile (t: Test, source: string): string {
  const file = join(dirname(temporaryFile(t)), 'auth.mjs')
  writeFileSync(file, source)
  return file
}
