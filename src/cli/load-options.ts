/** Finds the plugin options that a command is to work with. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The default export of a module, or its export `auth`; without a path, no options. */
export async function loadOptions (path: string | undefined): Promise<object> {
  if (path === undefined) return {}
  const module: Record<string, unknown> = await import(pathToFileURL(resolve(path)).href)
  const options = module.auth ?? module.default
  if (typeof options !== 'object' || options === null) { throw new Error(`${path}: exports neither auth nor a default object`) }
  return options
}
