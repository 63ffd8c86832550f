/** Whether a user field can use a column that the app's own table of users has. */
import type { ColumnKind, FieldSpec } from '../../schemas/user-fields.js'
import type { Dialect } from './database.js'
import { kinds } from './existing-columns.js'
import type { ColumnInfo } from './existing-table.js'

const types: Record<Dialect, Record<ColumnKind, RegExp>> = {
  sqlite: {
    text: kinds.sqlite.text.fits,
    decimal: kinds.sqlite.text.fits,
    integer: /int/,
    real: /real|floa|doub/,
    boolean: kinds.sqlite.boolean.fits,
    json: /char|text|clob|json/
  },
  postgres: {
    text: kinds.postgres.text.fits,
    decimal: /^numeric$/,
    integer: /^(smallint|integer|bigint)$/,
    real: /^double precision$/,
    boolean: kinds.postgres.boolean.fits,
    json: /^jsonb?$/
  }
}

/** Whether the app's own column takes every value that the declaration allows. */
export function fitsField (dialect: Dialect, { kind, input }: FieldSpec, column: ColumnInfo): boolean {
  if (!types[dialect][kind].test(column.type)) return false
  const { maxLength = Infinity, minimum = -Infinity, maximum = Infinity } = input
  if (kind === 'text') return column.maxLength === null || longestOf(input, maxLength) <= column.maxLength
  const bits = kind === 'integer' && dialect === 'postgres' ? { smallint: 15, integer: 31 }[column.type] : undefined
  return bits === undefined || (minimum >= -(2 ** bits) && maximum < 2 ** bits)
}

/** The longest of the literals, if the field has some. */
const longestOf = ({ enum: literals }: FieldSpec['input'], maxLength: number): number =>
  Array.isArray(literals) ? Math.max(...literals.map(literal => String(literal).length)) : maxLength
