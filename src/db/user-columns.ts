/** What the columns of the user fields have in common on both databases. */
import type { FieldSpec } from '../../schemas/user-fields.js'

/** What Drizzle keeps of a column whose values are of the type `Value`. */
export interface ColumnConfig<Value> {
  name: string
  dataType: 'custom'
  columnType: string
  data: Value
  driverParam: unknown
  enumValues: undefined
}

/** The columns, by the names of their fields. */
export const columnsOf = <Column>(
  fields: readonly FieldSpec[], columnOf: Record<FieldSpec['kind'], (name: string) => Column>
): Record<string, Column> =>
    Object.fromEntries(fields.map(({ name, kind, column }) => [name, columnOf[kind](column)]))
