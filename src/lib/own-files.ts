/** The files of this package that it reads at run time: migrations, mail templates and package.json. */
import { readFileSync } from 'node:fs'

const ownName = 'fastify-rest-auth'
let root: string | undefined

/**
 * The URL of a file, by its path in the package. Throws if a bundler has moved this code away from its files: at the
 * same relative path there may be files of the app, which must not be taken for ours.
 */
export function ownFile (path: string): URL {
  root ??= findRoot(import.meta.url)
  return new URL(path, root)
}

/** `here` is undefined where a bundler has compiled this module to CommonJS. */
function findRoot (here = ''): string {
  const folder = foldersOf(here).map(path => new URL(path, here).href).find(folder => nameOfPackage(folder) === ownName)
  if (folder !== undefined) return folder
  throw new Error(
    `${ownName}: a bundler has separated its code from its files, such as the migrations; mark ${ownName} as ` +
    `external (esbuild: --external:${ownName}), so that it is loaded from node_modules, or copy its files into a ` +
    `folder ${ownName} beside the bundle (see docs/hosts.md)`
  )
}

function foldersOf (here: string): string[] {
  if (!here.startsWith('file:')) return []
  const isThisFile = /\/src\/lib\/own-files\.[jt]s([?#].*)?$/.test(here)
  // The compiled code is one folder deeper than the sources, in dist/.
  return isThisFile ? ['../../', '../../../'] : [`./${ownName}/`]
}

function nameOfPackage (folder: string): unknown {
  try {
    return JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')).name
  } catch {
    return undefined
  }
}
