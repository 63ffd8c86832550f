/** Several registrations in one app: each has a path of its own, and says whether it uses the tables of another. */
import { getTableName } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from '../db/database.js'
import { targetOf } from '../db/target.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from '../settings/types.js'

interface Neighbour {
  /** Of its routes, including the host's prefix. */
  path: string
  db: Database
  settings: Settings
}

// By the server, because registrations in two scopes of an app do not see each other.
const neighbours = new WeakMap<object, Neighbour[]>()

/** Throws an option error if an earlier registration in the app leaves no room for this one. */
export async function settle (app: FastifyInstance, { path, ...given }: Neighbour): Promise<void> {
  const newcomer = { ...given, path: path.replace(/\/+/g, '/') }
  const earlier = neighbours.get(app.server) ?? []
  if (earlier.some(other => other.path === newcomer.path)) {
    refuseOption(`prefix: another registration is at ${newcomer.path}; give this one another, such as prefix: '/staff'`)
  }
  for (const other of earlier) if (await useSameTables(other, newcomer)) refuseUnlessShared(other, newcomer)
  neighbours.set(app.server, [...earlier, newcomer])
}

const useSameTables = async ({ db: one }: Neighbour, { db: other }: Neighbour): Promise<boolean> =>
  one.dialect === other.dialect && getTableName(one.users) === getTableName(other.users) &&
  await one.identity() === await other.identity()

function refuseUnlessShared ({ path, settings: theirs }: Neighbour, { path: own, settings: ours }: Neighbour): void {
  if (!targetOf(ours.database).share) {
    refuseOption(
      `database: the registration at ${path} has the same tables, so its users could log in at ${own}; give this one ` +
      "tables of its own, database: { …, tables: 'staff_' }, or let both have the same users, " +
      'database: { …, share: true }'
    )
  }
  const reason = `because they share their tables (database.share); declare it as at ${path}`
  if (theirs.account.pk !== ours.account.pk) {
    refuseOption(`account.pk: is '${ours.account.pk}' here and '${theirs.account.pk}' at ${path}, ${reason}`)
  }
  if (JSON.stringify(theirs.existingTable) !== JSON.stringify(ours.existingTable)) {
    refuseOption(`account.table: names another table at ${path}, ${reason}`)
  }
  for (const field of ours.fields) {
    const other = theirs.fields.find(({ name, column }) => name === field.name || column === field.column)
    if (other && columnOf(other) !== columnOf(field)) {
      refuseOption(`userFields.${field.name}: has another column at ${path}, ${reason}`)
    }
  }
}

/** What both must agree on, because the column is made and recorded once. */
const columnOf = ({ name, column, kind, choices, unique }: FieldSpec): string =>
  JSON.stringify([name, column, kind, choices, unique])
