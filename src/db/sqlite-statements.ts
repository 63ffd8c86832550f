/** Runs the statements of Drizzle's `sqlite-proxy` on a connection of better-sqlite3. Each text is compiled once. */
import type BetterSqlite3 from 'better-sqlite3'
import type { AsyncRemoteCallback } from 'drizzle-orm/sqlite-proxy'

type Method = Parameters<AsyncRemoteCallback>[2]
/** A row is an array of its values, unless Drizzle 1.0 asks for an object with their names. */
type RowMode = 'array' | 'object'

/** Returns the rows; with the method `get`, the first row or undefined. */
export type Run = (text: string, params: unknown[], method: Method, rowMode?: RowMode) => unknown

export function createRun (client: BetterSqlite3.Database): Run {
  const compiled = new Map<string, BetterSqlite3.Statement>()
  return (text, params, method, rowMode = 'array') => {
    let statement = compiled.get(text)
    if (!statement) {
      if (compiled.size >= 500) compiled.clear()
      statement = client.prepare(text)
      compiled.set(text, statement)
    }
    if (!statement.reader) {
      statement.run(params)
      return []
    }
    statement.raw(rowMode === 'array')
    return method === 'get' ? statement.get(params) : statement.all(params)
  }
}

/** What `drizzle` of `sqlite-proxy` takes: Drizzle 0.45 calls it as a function, Drizzle 1.0 calls its methods. */
export function executorsOf (run: (...query: Parameters<Run>) => Promise<unknown>): AsyncRemoteCallback {
  // Drizzle declares the rows as any, and maps them by the columns of its query.
  const execute: AsyncRemoteCallback = async (...query) => ({ rows: await run(...query) as any })
  return Object.assign(execute, {
    all: (text: string, params: unknown[], rowMode: RowMode) => run(text, params, 'all', rowMode),
    get: (text: string, params: unknown[], rowMode: RowMode) => run(text, params, 'get', rowMode),
    run: (text: string, params: unknown[]) => execute(text, params, 'run')
  })
}

/** Drizzle 1.0 reads values by the codecs of a driver, and `sqlite-proxy` has none. Drizzle 0.45 needs none. */
export async function codecsConfig (): Promise<object> {
  return { codecs: Object(await import('drizzle-orm/better-sqlite3')).betterSQLite3Codecs }
}
