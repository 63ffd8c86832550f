/** What the option `database` names, in its short form or its long one. */
import { refuseOption } from '../lib/refuse-option.js'
import { dialectOf } from './drizzle-instance.js'

export interface Target {
  /** A file, a URL, or a Drizzle instance. */
  database: unknown
  /** Whether PostgreSQL may keep frequent statements prepared. */
  prepare: boolean
}

/** Throws an Error for an invalid long form. */
export function targetOf (option: unknown): Target {
  if (!isLongForm(option)) return { database: primaryOf(option), prepare: true }
  const { url, drizzle, prepare = true, ...unknown } = option
  for (const name of Object.keys(unknown)) refuseOption(`database.${name}: unknown option`)
  if ((url === undefined) === (drizzle === undefined)) refuseOption('database: give one of url and drizzle')
  if (url !== undefined && typeof url !== 'string') refuseOption('database.url: must be a SQLite file or a postgres:// URL')
  if (typeof prepare !== 'boolean') refuseOption('database.prepare: must be true or false')
  return { database: url ?? primaryOf(drizzle), prepare }
}

export const isPostgres = (option: unknown): boolean => {
  const { database } = targetOf(option)
  return typeof database === 'string' ? /^postgres(ql)?:\/\//.test(database) : dialectOf(database) === 'postgres'
}

const isLongForm = (option: unknown): option is Record<string, unknown> =>
  typeof option === 'object' && option !== null && Object.getPrototypeOf(option) === Object.prototype &&
  !('$primary' in option) && ['url', 'drizzle', 'prepare'].some(name => Object.hasOwn(option, name))

/** Of an instance with replicas, the primary: a replica may not know yet that a session has ended. */
const primaryOf = (database: unknown): unknown =>
  typeof database === 'object' && database !== null && '$primary' in database ? database.$primary : database
