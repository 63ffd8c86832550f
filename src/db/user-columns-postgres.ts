/** The columns of the user fields on PostgreSQL, by kind. */
import { bigint, boolean, doublePrecision, jsonb, numeric, text } from 'drizzle-orm/pg-core'

export const columnOf = {
  text: (name: string) => text(name),
  decimal: (name: string) => numeric(name),
  integer: (name: string) => bigint(name, { mode: 'number' }),
  real: (name: string) => doublePrecision(name),
  boolean: (name: string) => boolean(name),
  json: (name: string) => jsonb(name)
}
