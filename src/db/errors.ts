/** What a driver's error means, by its code and never by parsing its message, except where a driver gives no code. */
import { DrizzleQueryError } from 'drizzle-orm'

export function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause) codes.push(String(cause.code))
  }
  return codes
}

export const isConflict = (error: unknown): boolean =>
  codesOf(error).some(code => code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE')

/** Whether a pooler gave a statement to a connection that does not know its name, or knows another by it. */
export const isPreparedStatementLost = (error: unknown): boolean =>
  codesOf(error).some(code => code === '26000' || code === '42P05')

/** Whether PostgreSQL ended a transaction for another's sake (serialization failure, deadlock): a retry may succeed. */
export const isOvertaken = (error: unknown): boolean =>
  codesOf(error).some(code => code === '40001' || code === '40P01')

const unavailable =
  /^(08|40001|40P01|53|57P|25006|SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN|LOCKED)|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)|^57014$/

// These errors of node-postgres have no code.
const connectionLost = /timeout exceeded when trying to connect|Query read timeout|Connection terminated|not queryable/i

/** Whether the database is down, full, locked, overrun or too slow: a temporary failure, not a bug. */
export const isUnavailable = (error: unknown): boolean =>
  codesOf(error).some(code => unavailable.test(code)) || hasConnectionFailed(error)

/** Whether node-postgres has closed a connection, or should, because it no longer carries anything. */
export const hasConnectionFailed = (error: unknown): boolean =>
  connectionLost.test(messageOf(error)) || (error instanceof Error && connectionLost.test(messageOf(error.cause)))

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''

/** A failed query without its values: Drizzle's message quotes every parameter, and PostgreSQL's detail the row. */
export function redactQueryError (error: unknown): unknown {
  if (!(error instanceof DrizzleQueryError)) return error
  const [code = ''] = codesOf(error)
  return Object.assign(new Error(`database query failed (${code}): ${error.query}`), { code })
}

/** Throws one line, with the option's name, on why a database could not be opened or migrated: the innermost cause. */
export function refuseToStart (error: unknown): never {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  const outer = messageOf(error)
  if (outer.startsWith('fastify-rest-auth: ')) throw error
  const [code = ''] = codesOf(root)
  const cause = /^(SQLITE_BUSY|55P03)/.test(code)
    ? 'is locked; another process uses or migrates it, so start again when that has finished'
    : messageOf(root) || code
  const line = /^(database|userFields)[.:[]/.test(outer) ? outer : `database: ${cause}`
  throw new Error(`fastify-rest-auth: ${line}`, { cause: error })
}
