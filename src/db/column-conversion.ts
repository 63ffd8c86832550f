/**
 * SQL that converts a column to another kind without losing anything: a value that would not be the same afterwards
 * (`abc` or `007` as an integer, `1.5` as one) makes it fail.
 */
import type { Table } from 'drizzle-orm'
import type { ColumnKind } from '../../schemas/user-fields.js'
import type { Dialect } from './database.js'
import { nameOf } from './table-names.js'

type Expression = (value: string) => string

const asText = (value: string) => `CAST(${value} AS text)`
const truth = "('0', '1', 'true', 'false')"

/** Whether a value can become one of the kind. A cast of PostgreSQL that fails says no, too. */
export const fitsKind: Record<Dialect, Record<ColumnKind, Expression>> = {
  sqlite: {
    text: value => `typeof(${value}) <> 'blob'`,
    decimal: value => isDecimalOnSqlite(asText(value)),
    integer: value =>
      `CASE typeof(${value}) WHEN 'text' THEN CAST(CAST(${value} AS integer) AS text) = ${value} ` +
      `ELSE CAST(${value} AS integer) = ${value} END`,
    real: value =>
      `CASE typeof(${value}) WHEN 'text' THEN ${value} IN (CAST(CAST(${value} AS real) AS text), ` +
      `CAST(CAST(${value} AS integer) AS text)) ELSE typeof(${value}) IN ('integer', 'real') END`,
    boolean: value => `${asText(value)} IN ${truth}`,
    json: value =>
      `CASE WHEN json_valid(${value}) THEN json_type(${value}) IN ('object', 'array') ELSE 0 END`
  },
  postgres: {
    text: () => 'true',
    decimal: value =>
      `${asText(value)} ~ '^-?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?$' AND ${asText(value)} <> '-0'`,
    integer: value => `CAST(CAST(${asText(value)} AS bigint) AS text) = ${asText(value)}`,
    real: value =>
      `CAST(CAST(${asText(value)} AS double precision) AS text) = ${asText(value)} ` +
      `AND ${asText(value)} NOT IN ('NaN', 'Infinity', '-Infinity')`,
    boolean: value => `${asText(value)} IN ${truth}`,
    json: value => `jsonb_typeof(CAST(${asText(value)} AS jsonb)) IN ('object', 'array')`
  }
}

/** Whether a text is a decimal in normal form, which has no zero at its end. */
function isDecimalOnSqlite (text: string): string {
  const digits = `ltrim(${text}, '-')`
  const wrong = ['*[^0-9.]*', '*.*.*', '0[0-9]*', '*.', '*.*0'].map(pattern => `${digits} NOT GLOB '${pattern}'`)
  return [`${digits} GLOB '[0-9]*'`, ...wrong, `${text} NOT GLOB '--*'`, `${text} <> '-0'`].join(' AND ')
}

interface Conversion {
  users: Table
  column: string
  /** The definition of the column until now. */
  from: string
  kind: ColumnKind
  /** The type of the column from now on. */
  type: string
}

export function conversion (dialect: Dialect, { users, column, from, kind, type }: Conversion) {
  const value = source(dialect, `"${column}"`, from, kind)
  return {
    fits: fitsKind[dialect][kind](value),
    value: kind === 'boolean' && !isBoolean(from)
      ? `${asText(value)} IN ('1', 'true')`
      : `CAST(${dialect === 'postgres' && kind !== 'text' ? asText(value) : value} AS ${type})`,
    check: dialect === 'sqlite' ? checkOnSqlite(users, column) : checkOnPostgres(users, column)
  }
}

const isBoolean = (definition: string) => /^(integer \(boolean\)|boolean)/.test(definition)

/** A boolean as the number or the word that it becomes. */
function source (dialect: Dialect, value: string, from: string, kind: ColumnKind): string {
  if (!isBoolean(from)) return value
  if (dialect === 'sqlite') return kind === 'text' ? `CASE ${value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END` : value
  return kind === 'integer' || kind === 'real' ? `CAST(${value} AS integer)` : value
}

/** SQLite has no cast that fails. `OR ROLLBACK` undoes the transaction, also if the tool goes on after an error. */
const checkOnSqlite = (users: Table, column: string) => (fits: string): string[] => {
  const { create, insert, drop } = sqliteCheck(users, column, fits, 'OR ROLLBACK ')
  return [create, insert, drop]
}

/** Statements of which `insert` fails if a value does not fit. */
export const sqliteCheck = (users: Table, column: string, fits: string, orElse = '') => ({
  create: 'CREATE TEMP TABLE "rest_auth_check" ("fits" integer CONSTRAINT "every value fits" CHECK ("fits"))',
  insert: `INSERT ${orElse}INTO "rest_auth_check" SELECT ${fits} FROM ${nameOf(users)} WHERE "${column}" IS NOT NULL`,
  drop: 'DROP TABLE "rest_auth_check"'
})

/** The constraint goes with the old column. */
const checkOnPostgres = (users: Table, column: string) => (fits: string): string[] => [
  `ALTER TABLE ${nameOf(users)} ADD CONSTRAINT "every value fits" CHECK ("${column}" IS NULL OR (${fits}))`
]
