/** The table of events, written with the option `audit`. */
import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm'
import type { Db } from '../db/database.js'
import type { EventRow } from '../db/tables.js'

export async function insertEvent ({ orm, events }: Db, row: EventRow): Promise<void> {
  await orm.insert(events).values(row)
}

interface EventFilter {
  /** Undefined: of all users. */
  userPk: string | undefined
  /** The time from which on to read. */
  since?: Date
  /** The ID of the event after which to read on. */
  after: string | undefined
  limit: number
}

/** Newest first: the IDs are in the order of time. */
export async function listEvents (
  { orm, events }: Db, { userPk, since, after, limit }: EventFilter
): Promise<EventRow[]> {
  const conditions: SQL[] = []
  if (userPk !== undefined) conditions.push(eq(events.userPk, userPk))
  if (since !== undefined) conditions.push(gte(events.at, since))
  if (after !== undefined) conditions.push(lt(events.id, after.toLowerCase()))
  return await orm.select().from(events).where(and(...conditions)).orderBy(desc(events.id)).limit(limit)
}
