/** The columns of the user fields on PostgreSQL, by kind. */
import { bigint, boolean, doublePrecision, jsonb, numeric, text, type PgColumnBuilderBase } from 'drizzle-orm/pg-core'
import type { ColumnValues, FieldSpecs, UserFields } from '../../schemas/user-fields.js'
import { columnsOf, type ColumnConfig } from './user-columns.js'

const columnOf = {
  text: (name: string) => text(name),
  decimal: (name: string) => numeric(name),
  integer: (name: string) => bigint(name, { mode: 'number' }),
  real: (name: string) => doublePrecision(name),
  boolean: (name: string) => boolean(name),
  json: (name: string) => jsonb(name)
}

type UserColumns<F extends UserFields> = {
  [Name in keyof ColumnValues<F>]: PgColumnBuilderBase<ColumnConfig<ColumnValues<F>[Name]>>
}

// The declaration that the type remembers was described by the very specs.
export const userFieldColumns = <F extends UserFields>(fields: FieldSpecs<F>) =>
  columnsOf<PgColumnBuilderBase>(fields, columnOf) as unknown as UserColumns<F>
