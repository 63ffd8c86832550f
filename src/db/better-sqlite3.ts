/** Loads better-sqlite3, and refuses a version that would crash this Node: nobody could catch that. */
import { createRequire } from 'node:module'
import type BetterSqlite3 from 'better-sqlite3'

/** Throws an Error whose message says what to install. */
export async function loadBetterSqlite3 (): Promise<typeof BetterSqlite3> {
  const version = installedVersion()
  if (version !== undefined) refuseCrash(version, process.versions)
  const { default: Client } = await import('better-sqlite3').catch(error => {
    const name = canRun13(process.versions) ? 'better-sqlite3' : 'better-sqlite3@12'
    throw new Error(`database: SQLite needs the package better-sqlite3 (npm install ${name})`, { cause: error })
  })
  try {
    // Its binary is loaded by the first connection.
    new Client(':memory:').close()
  } catch (error) {
    throw new Error(
      `database: better-sqlite3 has no binary for Node ${process.versions.node}; run npm rebuild better-sqlite3 ` +
      '(with npm 12, run npm install-scripts approve better-sqlite3 first)',
      { cause: error }
    )
  }
  return Client
}

/** Throws an Error if this version of better-sqlite3 ends the process on this Node. */
export function refuseCrash (version: string, versions: NodeJS.ProcessVersions): void {
  const { node } = versions
  const major = Number.parseInt(version)
  if (major >= 13 && !canRun13(versions)) {
    throw new Error(
      `database: better-sqlite3 ${version} crashes Node ${node}; ` +
      'run npm install better-sqlite3@12, or use Node 22.14 or newer'
    )
  }
  // Node 24 changed the class that its statements inherit from: collecting one as garbage may abort the process.
  if (major < 13 && Number.parseInt(node) >= 24) {
    throw new Error(
      `database: better-sqlite3 ${version} can abort the process at any time on Node ${node}; ` +
      'run npm install better-sqlite3@13'
    )
  }
}

/** Its binary calls Node-API 10, which came with Node 22.14, although it declares Node 22. */
const canRun13 = ({ napi }: NodeJS.ProcessVersions): boolean => Number(napi) >= 10

/** Undefined if it is not installed, or a bundler has taken it apart. */
function installedVersion (): string | undefined {
  try {
    return createRequire(import.meta.url)('better-sqlite3/package.json').version
  } catch {
    return undefined
  }
}
