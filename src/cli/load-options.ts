/** Loads the plugin options for a command. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The export `auth` of a module, or its default export; `{}` without a path. Throws an Error if it has neither. */
export async function loadOptions (path: string | undefined): Promise<object> {
  if (path === undefined) return {}
  const module: Record<string, unknown> = await import(pathToFileURL(resolve(path)).href)
  const options = module.auth ?? module.default
  if (typeof options !== 'object' || options === null) {
    throw new Error(`${path}: exports neither auth nor a default object`)
  }
  return options
}
