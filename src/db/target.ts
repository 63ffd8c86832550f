/** What the option `database` names, in its short form or its long one. */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { DatabaseOptions } from '../../schemas/options/database.js'
import { refuseOption } from '../lib/refuse-option.js'
import { mostSimilar, unknownOption } from '../lib/unknown-option.js'
import { dialectOf } from './drizzle-instance.js'
import type { TableNames } from './table-names.js'

export interface Target {
  /** A file, a URL, or a Drizzle instance. */
  database: unknown
  /** Whether PostgreSQL may keep frequent statements prepared. */
  prepare: boolean
  names: TableNames
  /** Options of node-postgres' `Pool`, for a URL. */
  pool: object
  /** Whether to use the tables of another registration in the app. */
  share: boolean
}

const longForm = TypeCompiler.Compile(DatabaseOptions)
const optionNames = Object.keys(DatabaseOptions.properties)

/** Throws an Error for an invalid long form. */
export function targetOf (option: unknown): Target {
  if (!isLongForm(option)) return { database: primaryOf(option), prepare: true, names: {}, pool: {}, share: false }
  const unknown = Object.keys(option).find(name => !optionNames.includes(name))
  if (unknown !== undefined) refuseOption(unknownOption(`database.${unknown}`, optionNames))
  if (!longForm.Check(option)) refuseLongForm(option)
  const { url, drizzle, prepare = true, share = false, tables, schema, pool = {} } = option
  if ((url === undefined) === (drizzle === undefined)) refuseOption('database: give one of url and drizzle')
  const database = url ?? primaryOf(drizzle)
  if (schema !== undefined && !isPostgresTarget(database)) refuseOption('database.schema: only PostgreSQL has schemas')
  if ('pool' in option && !(typeof database === 'string' && isPostgresTarget(database))) {
    refuseOption('database.pool: only a postgres:// URL has a pool of the plugin; give your own pool its options')
  }
  return { database, prepare, share, pool, names: { tables, schema } }
}

function refuseLongForm (option: unknown): never {
  const { path, schema } = longForm.Errors(option).First()!
  return refuseOption(`database.${path.slice(1)}: must be ${schema.title}`)
}

/** The option with another file or URL, and the same names of the tables. */
export const withUrl = (option: unknown, url: string): unknown =>
  isLongForm(option) ? { ...option, url, drizzle: undefined } : url

export const isPostgres = (option: unknown): boolean => isPostgresTarget(targetOf(option).database)

const isPostgresTarget = (database: unknown): boolean =>
  typeof database === 'string' ? /^postgres(ql)?:\/\//i.test(database) : dialectOf(database) === 'postgres'

/** A misspelt name counts, too: the refusal can then say what was meant. */
const isLongForm = (option: unknown): option is Record<string, unknown> =>
  typeof option === 'object' && option !== null && Object.getPrototypeOf(option) === Object.prototype &&
  !('$primary' in option) && Object.keys(option).some(name => mostSimilar(name, optionNames) !== undefined)

/** Of an instance with replicas, the primary: a replica may not know yet that a session has ended. */
const primaryOf = (database: unknown): unknown =>
  typeof database === 'object' && database !== null && '$primary' in database ? database.$primary : database
