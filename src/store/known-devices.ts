/** The table of known devices: from where users have logged in. */
import { eq } from 'drizzle-orm'
import type { Db } from '../db/database.js'

interface KnownDevice {
  userPk: string
  device: string
  lastSeenAt: Date
}

export const listKnownDevices = async ({ orm, knownDevices }: Db, userPk: string): Promise<KnownDevice[]> =>
  await orm.select().from(knownDevices).where(eq(knownDevices.userPk, userPk))

/** Stores the device, or when it was last seen. */
export async function rememberDevice ({ orm, knownDevices }: Db, row: KnownDevice): Promise<void> {
  await orm.insert(knownDevices).values(row).onConflictDoUpdate({
    target: knownDevices.device, set: { lastSeenAt: row.lastSeenAt }
  })
}
