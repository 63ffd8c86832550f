/** Which column of Django's users becomes which of our fields. */
import type { FieldSpec } from '../../../schemas/user-fields.js'
import type { Settings } from '../../settings/types.js'
import { djangoUserColumns, type DjangoTable } from './tables.js'

export interface CopiedColumns {
  email: string | undefined
  username: string | undefined
  /** Django's column of each user field. */
  fields: ReadonlyMap<FieldSpec, string>
  ignored: readonly string[]
}

/** `given` are pairs such as `is_staff=staff`. Throws an Error of one line for a pair that can't be meant. */
export function copiedColumns (
  { name: table, columns, key }: DjangoTable, { fields, account }: Settings, given: readonly string[]
): CopiedColumns {
  const targets = ['email', ...account.username === 'none' ? [] : ['username'], ...fields.map(({ name }) => name)]
  const chosen = new Map(given.map(pair => readPair(pair, table, columns, targets)))
  const columnOf = (target: string) => chosen.get(target) ?? (columns.has(target) ? target : undefined)
  const username = account.username === 'none' ? undefined : columnOf('username')
  if (account.username === 'required' && username === undefined) {
    throw new Error(
      `import: account.username is required, and ${table} has no column username; ` +
      'choose one with --field <column>=username'
    )
  }
  const copied = new Map<FieldSpec, string>()
  for (const field of fields) {
    const column = columnOf(field.name)
    if (column !== undefined) copied.set(field, column)
  }
  const email = columnOf('email')
  const used = new Set<string | undefined>([key, ...djangoUserColumns, email, username, ...copied.values()])
  return { email, username, fields: copied, ignored: [...columns.keys()].filter(name => !used.has(name)) }
}

function readPair (
  pair: string, table: string, columns: DjangoTable['columns'], targets: readonly string[]
): [target: string, column: string] {
  const [, column = '', target = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? []
  if (column === '') throw new Error(`import: --field ${pair}: give <column of Django>=<user field>`)
  if (!columns.has(column)) {
    const names = [...columns.keys()].join(', ')
    throw new Error(`import: --field ${pair}: ${table} has no column ${column}; it has ${names}`)
  }
  if (!targets.includes(target)) {
    throw new Error(`import: --field ${pair}: your options have no field ${target}; they have ${targets.join(', ')}`)
  }
  return [target, column]
}

/** The columns of Django's users to read. */
export const columnsToRead = ({ columns }: DjangoTable, { email, username, fields }: CopiedColumns): string[] =>
  [...djangoUserColumns.filter(name => columns.has(name)), email, username, ...fields.values()]
    .filter(name => name !== undefined)
