/** Deletes rows that are of no more use: of each kind some at a time, so that no other query waits for long. */
import { and, inArray, isNull, lte, type SQL } from 'drizzle-orm'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Db } from '../db/database.js'
import type { Tables } from '../db/tables.js'

/** Rows are deleted that ended before these times. */
export interface EndedBefore {
  now: Date
  /** Sessions. An access token may outlive the refresh token of its session, by a day at most. */
  sessions: Date
  /** Mails and their tokens: the limits of mails look back so far. */
  mails: Date
  /** Mails that were given up, which can be tried again. */
  failedMails: Date
  events: Date
  /** Devices that nobody logged in from. */
  knownDevices: Date
}

type Delete = (db: Db, before: EndedBefore, limit: number) => Promise<number>

/** For each kind, deletes at most `limit` rows and returns how many. */
export const expiredRows = {
  sessions: async (db, { sessions: before }, limit) => {
    const { sessions, refreshTokens, orm } = db
    // A session ends when its time is up, or when nobody refreshed it in time.
    const idle = orm.select({ id: refreshTokens.sessionId }).from(refreshTokens)
      .where(and(lte(refreshTokens.expiresAt, before), isNull(refreshTokens.spentAt))).limit(limit)
    return await remove(db, sessions, sessions.id, lte(sessions.expiresAt, before), limit) +
      (await orm.delete(sessions).where(inArray(sessions.id, idle)).returning({ id: sessions.id })).length
  },
  oneTimeTokens: async (db, { mails }, limit) => {
    const { oneTimeTokens: table } = db
    return await remove(db, table, table.digest, lte(table.expiresAt, mails), limit)
  },
  socialTransactions: async (db, { now }, limit) => {
    const { socialTransactions: table } = db
    return await remove(db, table, table.digest, lte(table.expiresAt, now), limit)
  },
  mails: async (db, { mails, failedMails }, limit) => {
    const { outbox } = db
    return await remove(db, outbox, outbox.id, lte(outbox.sentAt, mails), limit) +
      await remove(db, outbox, outbox.id, lte(outbox.failedAt, failedMails), limit)
  },
  limits: async (db, { now }, limit) => {
    const { rateLimits } = db
    return await remove(db, rateLimits, rateLimits.key, lte(rateLimits.resetsAt, now), limit)
  },
  events: async (db, { events: before }, limit) =>
    await remove(db, db.events, db.events.id, lte(db.events.at, before), limit),
  knownDevices: async (db, { knownDevices: before }, limit) => {
    const { knownDevices: table } = db
    return await remove(db, table, table.device, lte(table.lastSeenAt, before), limit)
  }
} satisfies Record<string, Delete>

type Table = Db[keyof Omit<Tables, 'users' | 'refreshTokens' | 'socialAccounts' | 'userPkCounter' | 'ledger'>]

async function remove ({ orm }: Db, table: Table, key: AnySQLiteColumn, isOver: SQL, limit: number): Promise<number> {
  const chosen = orm.select({ key }).from(table).where(isOver).limit(limit)
  return (await orm.delete(table).where(inArray(key, chosen)).returning({ key })).length
}
