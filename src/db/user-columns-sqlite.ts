/** The columns of the user fields on SQLite, by kind. */
import { customType, integer, real, text, type SQLiteColumnBuilderBase } from 'drizzle-orm/sqlite-core'
import type { ColumnValues, FieldSpecs, UserFields } from '../../schemas/user-fields.js'
import { columnsOf, type ColumnConfig } from './user-columns.js'

// SQLite stores any value in any column. What is not of the column's kind is read as it is: the query must not fail.
const boolean = customType<{ data: unknown, driverData: unknown }>({
  dataType: () => 'integer',
  toDriver: value => value === true ? 1 : 0,
  fromDriver: stored => stored === 1 ? true : stored === 0 ? false : stored
})
const json = customType<{ data: unknown, driverData: unknown }>({
  dataType: () => 'text',
  toDriver: value => JSON.stringify(value),
  fromDriver: stored => {
    try {
      return JSON.parse(String(stored))
    } catch {
      return stored
    }
  }
})

const columnOf = {
  text: (name: string) => text(name),
  decimal: (name: string) => text(name),
  integer: (name: string) => integer(name),
  real: (name: string) => real(name),
  boolean: (name: string) => boolean(name),
  json: (name: string) => json(name)
}

type UserColumns<F extends UserFields> = {
  [Name in keyof ColumnValues<F>]: SQLiteColumnBuilderBase<ColumnConfig<ColumnValues<F>[Name]>>
}

// The declaration that the type remembers was described by the very specs.
export const userFieldColumns = <F extends UserFields>(fields: FieldSpecs<F>) =>
  columnsOf<SQLiteColumnBuilderBase>(fields, columnOf) as unknown as UserColumns<F>
