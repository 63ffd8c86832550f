/** Reads all users of Django and stores them, page by page. */
import type { createUserInputs } from '../../server-api/user-input.js'
import type { Settings } from '../../settings/types.js'
import { findCollisions } from './collisions.js'
import { columnsToRead, type CopiedColumns } from './copied-columns.js'
import { createOriginOf, readSocialApps } from './identities.js'
import { createToIncoming, type IncomingUser } from './incoming-users.js'
import { countPeople, readPeople } from './people.js'
import { createProgress } from './progress.js'
import { emptyReport, record, type Report } from './report.js'
import type { Source } from './source.js'
import { createStoreUsers, type Outcome, type StoreOptions } from './store-users.js'
import type { DjangoTables } from './tables.js'

interface Options extends StoreOptions, Pick<ReturnType<typeof createUserInputs>, 'readImported'> {
  source: Source
  tables: DjangoTables
  copied: CopiedColumns
  settings: Settings
  /** Of both databases, for the report. */
  names: { source: string, database: string }
}

/** Users who were stored before, by a run that was cut short, stay as they are. */
export async function importUsers (options: Options): Promise<Report> {
  const { source, tables, copied, dryRun, names } = options
  const report = emptyReport({
    ...names, table: tables.users.name, dry_run: dryRun, ignored_columns: copied.ignored
  })
  const progress = createProgress(await countPeople(source, tables))
  const readAll = await createReader(options)
  const kept = await findCollisions(() => readAll({ ...tables, socialAccounts: undefined }))
  const storeUsers = createStoreUsers(options)
  try {
    for await (const page of readAll(tables)) {
      const storable = page.filter(({ pk, body }) => body !== undefined && !kept.has(pk))
      const stored = await storeUsers(storable)
      const outcomes = new Map(storable.map((user, index) => [user, stored[index]]))
      for (const user of page) record(report, user, outcomes.get(user) ?? refusalOf(user, kept))
      progress.show(report.users.read)
    }
  } finally {
    progress.clear()
  }
  return report
}

/** Returns a function that reads all users anew, from the given tables. */
async function createReader ({ source, tables, copied, settings: { account, social }, readImported }: Options) {
  const originOf = createOriginOf(social, await readSocialApps(source, tables))
  const columns = columnsToRead(tables.users, copied)
  const toIncoming = createToIncoming({ users: tables.users, copied, pk: account.pk, originOf, readImported })
  return async function * (from: DjangoTables): AsyncGenerator<IncomingUser[]> {
    for await (const page of readPeople(source, from, columns)) yield page.map(toIncoming)
  }
}

function refusalOf ({ pk, problem }: IncomingUser, kept: ReadonlyMap<string, string>): Outcome {
  const other = kept.get(pk)
  return {
    user: other === undefined ? { problem } : { problem: 'same address or username as another user', kept: other },
    accounts: []
  }
}
