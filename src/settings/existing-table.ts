/** The option `account.table`, and what follows from the others for the columns of that table. */
import { ownColumns } from '../../schemas/options/existing-table.js'
import type { FieldSpec } from '../../schemas/user-fields.js'
import { columnOf, type ExistingTable, type ExistingTableOption } from '../db/existing-table.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

/** As the defaults fill it in: without a name if the app has not given the option. */
export type GivenTable = Omit<ExistingTable, 'name'> & { name: string | undefined, key: string }

interface Others {
  account: Pick<Settings['account'], 'email' | 'username'>
  fields: readonly FieldSpec[]
  social: object
}

/** Throws an option error if two values would share a column. */
export function resolveExistingTable (
  { name, key, columns: given }: GivenTable, { account: { email, username }, fields, social }: Others
): ExistingTableOption | undefined {
  if (name === undefined) return undefined
  const columns = Object.fromEntries(Object.entries(given ?? {}).filter(([, column]) => column !== undefined))
  const table = { name, key, columns }
  const users = new Map([[key.toLowerCase(), 'account.table.key']])
  const all = [
    ...ownColumns.map(column => [columnOf(table, column), `account.table.columns.${column}`] as const),
    ...fields.map(field => [field.column, `userFields.${field.name}.column`] as const)
  ]
  for (const [column, option] of all) {
    const other = users.get(column.toLowerCase())
    if (other !== undefined) refuseOption(`${option}: "${column}" is already the column of ${other}`)
    users.set(column.toLowerCase(), option)
  }
  return {
    ...table,
    mayBeNull: {
      email: email === 'optional',
      username: username !== 'required',
      // A provider need not know what a registration asks for.
      requiredFields: Object.keys(social).length > 0
    }
  }
}
