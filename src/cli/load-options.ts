/** Loads the plugin options for a command. */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Flags, Values } from './command.js'
import { environmentOptions, inVariables } from './environment.js'

type Module = Record<string, unknown>

/** Of every command that uses the options of the plugin. */
export const optionFlags = {
  options: { type: 'string', value: '<module>', summary: 'your options: its default export, or its export named auth' },
  database: { type: 'string', value: '<file or URL>', summary: 'instead of the one in the options' }
} as const satisfies Flags
export type OptionValues = Values<typeof optionFlags>

/**
 * Runs `work` with the options of the module, or without one with those of the environment. Throws an Error if a
 * command for an `existing` database would use the default one, and that does not exist.
 */
export async function withOptions<T> (
  command: string,
  { options: path, database }: OptionValues,
  work: (options: object) => Promise<T>,
  { existing = true } = {}
): Promise<T> {
  const given = async () => {
    const loaded: { database?: unknown } = await loadOptions(path)
    if (database === undefined) return loaded
    const { withUrl } = await import('../db/target.js')
    return { ...loaded, database: withUrl(loaded.database, database.trim()) }
  }
  if (path !== undefined) return await work(await given())
  try {
    const options = { ...environmentOptions(process.env), ...await given() }
    if (existing && !('database' in options)) (await import('./database.js')).refuseMissingDefault(command)
    return await work(options)
  } catch (error) {
    throw database === undefined ? inVariables(error, process.env) : error
  }
}

/** The export `auth` of a module, or its default export; `{}` without a path. Throws an Error if it has neither. */
export async function loadOptions (path: string | undefined): Promise<object> {
  if (path === undefined) return {}
  const options = optionsIn(/\.[cm]?ts$/.test(path) ? await loadTypeScript(path) : await load(path))
  if (options === undefined) throw new Error(`${path}: exports neither auth nor a default object`)
  return options
}

const load = async (path: string): Promise<Module> => await import(pathToFileURL(resolve(path)).href)

/** A CommonJS module that was compiled from `export default` has that one level deeper. */
function optionsIn ({ auth, default: exported }: Module): object | undefined {
  const options = auth ?? exported
  if (typeof options !== 'object' || options === null) return undefined
  return '__esModule' in options ? optionsIn(options as Module) : options
}

/** With the tsx of the app if it has one: Node's own support lacks imports of `./x.js` that mean `./x.ts`. */
async function loadTypeScript (path: string): Promise<Module> {
  await loadTsx(resolve(path))
  try {
    return await load(path)
  } catch (error) {
    if (!isNoTypeScript(error)) throw error
    throw new Error(
      `${path}: this version of Node.js can't load it; install tsx (npm install -D tsx), or give the compiled .js file`,
      { cause: error }
    )
  }
}

async function loadTsx (from: string): Promise<void> {
  let entry: string
  try {
    entry = createRequire(from).resolve('tsx')
  } catch {
    return
  }
  await load(entry)
}

const isNoTypeScript = (error: unknown) => error instanceof Error && 'code' in error &&
  ['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'].includes(String(error.code))
