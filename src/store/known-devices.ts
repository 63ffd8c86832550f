/** The table of known devices: from where users have logged in. */
import { and, desc, eq, inArray } from 'drizzle-orm'
import type { Db } from '../db/database.js'

interface KnownDevice {
  userPk: string
  device: string
  lastSeenAt: Date
}

// SQLite takes an offset only with a limit.
const maxExcess = 1_000_000

export async function findKnownDevice ({ orm, knownDevices }: Db, device: string): Promise<KnownDevice | undefined> {
  const [row] = await orm.select().from(knownDevices).where(eq(knownDevices.device, device))
  return row
}

export async function hasKnownDevice ({ orm, knownDevices }: Db, userPk: string): Promise<boolean> {
  const rows = await orm.select({ device: knownDevices.device }).from(knownDevices)
    .where(eq(knownDevices.userPk, userPk)).limit(1)
  return rows.length > 0
}

/** Stores the device, or when it was last seen. The user keeps the `max` devices that were seen last. */
export async function rememberDevice ({ orm, knownDevices }: Db, row: KnownDevice, max: number): Promise<void> {
  await orm.insert(knownDevices).values(row).onConflictDoUpdate({
    target: knownDevices.device, set: { lastSeenAt: row.lastSeenAt }
  })
  const excess = orm.select({ device: knownDevices.device }).from(knownDevices)
    .where(eq(knownDevices.userPk, row.userPk))
    .orderBy(desc(knownDevices.lastSeenAt)).limit(maxExcess).offset(max)
  await orm.delete(knownDevices).where(and(eq(knownDevices.userPk, row.userPk), inArray(knownDevices.device, excess)))
}

/** After a new password, a device of somebody else must not count as known. */
export async function forgetDevices ({ orm, knownDevices }: Db, userPk: string): Promise<void> {
  await orm.delete(knownDevices).where(eq(knownDevices.userPk, userPk))
}
