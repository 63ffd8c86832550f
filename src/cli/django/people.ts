/** Reads Django's users in pages, in the order of their keys, with what other tables know of them. */
import { quoteName } from '../../db/table-names.js'
import { groupBy, type Row, type Source } from './source.js'
import type { DjangoTable, DjangoTables } from './tables.js'

export interface Person {
  /** As Django has it. */
  key: string
  user: Row
  /** Of allauth: `email`, `verified`, `primary`. */
  addresses: readonly Row[]
  /** Of allauth: `provider`, `uid`, `date_joined`, `last_login`. */
  socialAccounts: readonly Row[]
}

const pageSize = 500

/** `columns` are those of the user to read beside the key. */
export async function * readPeople (
  source: Source, tables: DjangoTables, columns: readonly string[]
): AsyncGenerator<Person[]> {
  const { users } = tables
  const list = [...new Set([users.key, ...columns])].map(name => selected(users, name)).join(', ')
  let after: string | undefined
  for (;;) {
    const page = await source.read(
      `SELECT ${list} FROM ${quoteName(users.name)} ` +
      (after === undefined ? '' : `WHERE ${quoteName(users.key)} > $1 `) +
      `ORDER BY ${quoteName(users.key)} LIMIT ${pageSize}`,
      after === undefined ? [] : [after]
    )
    const last = page.at(-1)?.[users.key]
    if (typeof last !== 'string') return
    const ofPage = async (table: DjangoTable | undefined, names: string[]) =>
      table ? groupBy(await readRange(source, table, names, after, last), 'user_id') : new Map<string, Row[]>()
    const addresses = await ofPage(tables.addresses, ['email', 'verified', 'primary'])
    const accounts = await ofPage(tables.socialAccounts, ['provider', 'uid', 'date_joined', 'last_login'])
    yield page.map(user => {
      const key = String(user[users.key])
      return { key, user, addresses: addresses.get(key) ?? [], socialAccounts: accounts.get(key) ?? [] }
    })
    if (page.length < pageSize) return
    after = last
  }
}

/** The rows that belong to the users of a page. */
const readRange = async (
  source: Source, { name, key }: DjangoTable, columns: readonly string[], after: string | undefined, last: string
) => await source.read(
  `SELECT ${['user_id', ...columns].map(quoteName).join(', ')} FROM ${quoteName(name)} WHERE user_id <= $1 ` +
  `${after === undefined ? '' : 'AND user_id > $2'} ORDER BY ${quoteName(key)}`,
  after === undefined ? [last] : [last, after]
)

/** PostgreSQL writes its arrays in a syntax of its own. */
const selected = ({ columns }: DjangoTable, name: string): string =>
  columns.get(name)?.endsWith('[]') === true ? `to_json(${quoteName(name)}) AS ${quoteName(name)}` : quoteName(name)

export async function countPeople (source: Source, { users }: DjangoTables): Promise<number> {
  const [row] = await source.read(`SELECT count(*) AS "count" FROM ${quoteName(users.name)}`)
  return Number(row?.count)
}
