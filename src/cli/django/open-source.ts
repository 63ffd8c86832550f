/** Opens the Django database that a command names. */
import { isPostgres } from '../../db/target.js'
import { nameOf } from '../database.js'
import { openPostgresSource } from './postgres-source.js'
import type { Source } from './source.js'
import { openSqliteSource } from './sqlite-source.js'

/** Opens a SQLite file or a `postgres://` URL for reading only. Throws an Error of one line. */
export const openSource = async (source: string): Promise<Source> =>
  await (isPostgres(source) ? openPostgresSource(source) : openSqliteSource(source)).catch((error: unknown) => {
    throw new Error(`import: ${nameOf(source)}: ${reasonOf(error)}`, { cause: error })
  })

/** The error of a failed connection may have no message, only one cause for each address. */
function reasonOf (error: unknown): string {
  const { message = '', code = 'can\'t be read' }: { message?: string, code?: string } = Object(error)
  return message.split('\n')[0] || code
}
