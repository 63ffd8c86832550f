/** Loads the plugin options for a command. */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

type Module = Record<string, unknown>

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
