/** `fastify-rest-auth import django`: stores the users of a Django and allauth database. */
import { createUserRecords } from '../account/user-records.js'
import type { Database } from '../db/database.js'
import { redactQueryError, refuseToStart } from '../db/errors.js'
import { prepareDatabase } from '../db/prepare.js'
import { targetOf } from '../db/target.js'
import { createUserInputs } from '../server-api/user-input.js'
import { createUserStorage } from '../server-api/user-storage.js'
import { contractOf } from '../settings/contract.js'
import type { Settings } from '../settings/types.js'
import { defineCommand, type Outcome, type Values } from './command.js'
import { nameOf, openDatabaseOf, refuseMissingFile, settingsOf } from './database.js'
import { copiedColumns } from './django/copied-columns.js'
import { importUsers } from './django/import-users.js'
import { openSource } from './django/open-source.js'
import { reportAsText } from './django/report.js'
import type { Source } from './django/source.js'
import { findTables, type DjangoTable } from './django/tables.js'
import { optionFlags, withOptions } from './load-options.js'

const flags = {
  ...optionFlags,
  'dry-run': { type: 'boolean', summary: 'only report what would be stored' },
  table: { type: 'string', value: '<name>', summary: 'the table of users, if there are several' },
  field: {
    type: 'string',
    multiple: true,
    value: '<column=field>',
    summary: 'copy a column of Django to a user field of another name, such as is_staff=staff'
  }
} as const

export const importDjango = defineCommand({
  argument: '<SQLite file or postgres:// URL>',
  flags,
  notes: 'What was stored before stays as it is, so you can run an import again.',
  run: async ({ values, argument }) =>
    await withOptions('import django', values, async options => await importCommand(argument.trim(), options, values))
})

export async function importCommand (from: string, options: object, values: Values<typeof flags>): Promise<Outcome> {
  const settings = settingsOf(options)
  const source = await openSource(from)
  try {
    const db = await openTarget(settings, values.options)
    try {
      const report = await run(source, db, settings, { ...values, from })
      return { text: reportAsText(report), data: report }
    } finally {
      await db.close()
    }
  } catch (error) {
    throw redactQueryError(error)
  } finally {
    await source.close()
  }
}

/** The app's database, which must exist and be migrated: to create one here would hide a mistake in its name. */
async function openTarget (settings: Settings, optionsFile: string | undefined): Promise<Database> {
  refuseMissingFile('import', settings.database)
  const db = await openDatabaseOf(settings)
  try {
    await prepareDatabase(db, { ...settings, migrate: false }, optionsFile).catch(refuseToStart)
    return db
  } catch (error) {
    await db.close()
    throw error
  }
}

async function run (source: Source, db: Database, settings: Settings, values: Values<typeof flags> & { from: string }) {
  const tables = await findTables(source, values.table)
  const copied = copiedColumns(tables.users, settings, values.field ?? [])
  refuseOtherKeys(settings, tables.users)
  const userRecords = createUserRecords(settings)
  return await importUsers({
    source,
    tables,
    copied,
    settings,
    db,
    userRecords,
    ...createUserInputs(contractOf(settings, '')),
    ...createUserStorage({ db, clock: () => new Date(), userRecords }),
    dryRun: values['dry-run'] === true,
    names: { source: nameOf(values.from), database: nameOf(targetOf(settings.database).database) }
  })
}

function refuseOtherKeys ({ account: { pk } }: Settings, { name, key, columns }: DjangoTable): void {
  if (pk !== 'integer' || /int|serial/.test(columns.get(key) ?? '')) return
  throw new Error(`import: account.pk is 'integer', and the keys of ${name} are no integers`)
}
