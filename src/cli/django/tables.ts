/** Finds the tables of Django and allauth, and their columns. */
import { groupBy, isTrue, type Source } from './source.js'

export interface DjangoTable {
  name: string
  /** The types by name, as the database calls them. */
  columns: ReadonlyMap<string, string>
  key: string
}

export interface DjangoTables {
  users: DjangoTable
  /** Undefined without allauth. */
  addresses: DjangoTable | undefined
  socialAccounts: DjangoTable | undefined
  socialApps: DjangoTable | undefined
}

/** What Django's own users and every subclass of AbstractUser have. */
export const djangoUserColumns = ['password', 'last_login', 'is_active', 'date_joined'] as const

/** `named` is the table of users. Throws an Error of one line if it, or any table of users, can't be found. */
export async function findTables (source: Source, named: string | undefined): Promise<DjangoTables> {
  const tables = await readTables(source)
  return {
    users: named === undefined ? onlyUsers(tables) : tables.get(named) ?? refuse(`there is no table ${named}`),
    addresses: tables.get('account_emailaddress'),
    socialAccounts: tables.get('socialaccount_socialaccount'),
    socialApps: tables.get('socialaccount_socialapp')
  }
}

/** The tables with a key of one column, by name. */
async function readTables (source: Source): Promise<Map<string, DjangoTable>> {
  const columns = groupBy(await source.read(source.catalogue), 'table')
  const tables = new Map<string, DjangoTable>()
  for (const [name, rows] of columns) {
    const [key, more] = rows.filter(row => isTrue(row.key))
    if (!key || more) continue
    tables.set(name, {
      name,
      columns: new Map(rows.map(({ column, type }) => [String(column), String(type)])),
      key: String(key.column)
    })
  }
  return tables
}

function onlyUsers (tables: ReadonlyMap<string, DjangoTable>): DjangoTable {
  const [found, ...others] = [...tables.values()]
    .filter(({ columns }) => djangoUserColumns.every(name => columns.has(name)))
  if (!found) return refuse(`no table has the columns ${djangoUserColumns.join(', ')}; name yours with --table`)
  if (others.length === 0) return found
  return refuse(`${[found, ...others].map(({ name }) => name).join(' and ')} look like users; choose with --table`)
}

function refuse (problem: string): never {
  throw new Error(`import: ${problem}`)
}
