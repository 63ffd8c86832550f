/** What a driver's error means: a conflict, a database that is away, or a bug. */
import { DrizzleQueryError } from 'drizzle-orm'

function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) { if ('code' in cause) codes.push(String(cause.code)) }
  return codes
}

/** Whether a unique index refused a write. */
export const isConflict = (error: unknown): boolean =>
  codesOf(error).some(code => code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE')

/** Whether PostgreSQL ended a transaction for another's sake (serialization failure, deadlock): a retry may succeed. */
export const isOvertaken = (error: unknown): boolean =>
  codesOf(error).some(code => code === '40001' || code === '40P01')

const unavailable =
  /^(08|53|57P|25006|SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN|LOCKED)|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)|^57014$/

/** Whether the database is down, full, locked or too slow: a fault that passes, not a bug. */
export const isUnavailable = (error: unknown): boolean =>
  codesOf(error).some(code => unavailable.test(code)) ||
  /timeout exceeded when trying to connect|Connection terminated/i.test(
    String((error as Error)?.message) + String(((error as Error)?.cause as Error)?.message)
  )

/**
 * A failed query without its values: Drizzle's message has every parameter, PostgreSQL's detail the row, and both
 * end in logs, or in an answer of the host's. The code stays, for `isConflict` and `isUnavailable`.
 */
export function redactQueryError (error: unknown): unknown {
  if (!(error instanceof DrizzleQueryError)) return error
  const [code = ''] = codesOf(error)
  return Object.assign(new Error(`database query failed (${code}): ${error.query}`), { code })
}

/** Says in one line, by its option, why a database could not be opened or migrated: drivers wrap it in a query. */
export function refuseToStart (error: unknown): never {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  const [{ message: outer = '' }, { message = '', code = '' }] = [
    error as Partial<Error>,
    root as Partial<NodeJS.ErrnoException>
  ]
  if (outer.startsWith('fastify-rest-auth: ')) throw error
  const line = /^(database|userFields)\b/.test(outer) ? outer : `database: ${message || code}`
  throw new Error(`fastify-rest-auth: ${line}`, { cause: error })
}
