/** Loads the plugin options for a command. */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

type Module = Record<string, unknown>

/** The export `auth` of a module, or its default export; `{}` without a path. Throws an Error if it has neither. */
export async function loadOptions (path: string | undefined): Promise<object> {
  if (path === undefined) return {}
  const loaded = /\.[cm]?ts$/.test(path) ? await loadTypeScript(path) : await import(urlOf(path))
  const options = optionsIn(loaded)
  if (options === undefined) throw new Error(`${path}: exports neither auth nor a default object`)
  return options
}

const urlOf = (path: string) => pathToFileURL(resolve(path)).href

/** A CommonJS module that was compiled from `export default` has that one level deeper. */
function optionsIn ({ auth, default: exported }: Module): object | undefined {
  const options = auth ?? exported
  if (typeof options !== 'object' || options === null) return undefined
  return '__esModule' in options ? optionsIn(options as Module) : options
}

/** Through the tsx of the app if it has one: Node's own support lacks imports of `./x.js` that mean `./x.ts`. */
async function loadTypeScript (path: string): Promise<Module> {
  const tsx = tsxOf(resolve(path))
  if (tsx !== undefined) return await (await import(tsx)).tsImport(urlOf(path), import.meta.url)
  try {
    return await import(urlOf(path))
  } catch (error) {
    if (!isNoTypeScript(error)) throw error
    throw new Error(
      `${path}: this version of Node.js can't load it; install tsx (npm install -D tsx), or give the compiled .js file`,
      { cause: error }
    )
  }
}

function tsxOf (from: string): string | undefined {
  try {
    return pathToFileURL(createRequire(from).resolve('tsx/esm/api')).href
  } catch {
    return undefined
  }
}

const isNoTypeScript = (error: unknown) => error instanceof Error && 'code' in error &&
  ['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'].includes(String(error.code))
