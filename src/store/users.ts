/** The users table. */
import { and, asc, desc, eq, getTableColumns, inArray, isNull, ne, sql, type Column, type SQL } from 'drizzle-orm'
import { comparedEmail } from '../db/compared-email.js'
import { prepared, type Db } from '../db/database.js'
import { isConflict } from '../db/errors.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { formerUsernameKey, usernameKey } from '../lib/username.js'

const byPk = prepared<{ pk: string }, UserRow[]>(({ orm, users }) =>
  orm.select().from(users).where(eq(users.pk, sql.param(sql.placeholder('pk'), users.pk))))
const byEmail = prepared<{ email: string }, UserRow[]>(db =>
  db.orm.select().from(db.users).where(eq(comparedEmail(db), sql.placeholder('email'))))
const byUsername = prepared<{ key: string, former: string }, UserRow[]>(({ orm, users }) =>
  orm.select().from(users).where(inArray(users.usernameKey, [sql.placeholder('key'), sql.placeholder('former')])))

export const findUser = async (db: Db, pk: string): Promise<UserRow | undefined> => (await byPk(db, { pk }))[0]
/** At most a thousand, in any order. */
export const findUsers = async ({ orm, users }: Db, pks: string[]): Promise<UserRow[]> =>
  await orm.select().from(users).where(inArray(users.pk, pks))
/** `email` in canonical form. */
export const findUserByEmail = async (db: Db, email: string): Promise<UserRow | undefined> =>
  (await byEmail(db, { email }))[0]
export async function findUserByUsername (db: Db, username: string): Promise<UserRow | undefined> {
  const former = formerUsernameKey(username)
  const found = await byUsername(db, { key: usernameKey(username), former })
  return found.find(user => user.usernameKey === former) ?? found[0]
}

/**
 * The password hashes of the oldest and of the newest accounts, or null where there is none. To read all of them would
 * take seconds in a large table.
 */
export async function samplePasswordHashes ({ orm, users }: Db, count = 1000): Promise<Array<string | null>> {
  const read = async (order: SQL) =>
    await orm.select({ passwordHash: users.passwordHash }).from(users).orderBy(order).limit(count)
  const rows = [...await read(asc(users.pk)), ...await read(desc(users.pk))]
  return rows.map(({ passwordHash }) => passwordHash)
}

/** PostgreSQL takes a given key for a column `GENERATED ALWAYS AS IDENTITY` only if the statement says so. */
function insertWithPk ({ orm, users, existing }: Db) {
  const insert = orm.insert(users)
  const overriding: unknown = existing && Object(insert).overridingSystemValue?.()
  return overriding === undefined ? insert : overriding as typeof insert
}

/** Stores a user; undefined if one of the unique values is taken. The index decides, not an earlier query. */
export async function insertUser (db: Db, row: NewUserRow): Promise<UserRow | undefined> {
  const [user] = await insertWithPk(db).values(row).onConflictDoNothing().returning()
  return user
}

/** The unique value that a user was to get belongs to another user. */
export class UniqueViolation extends Error {}

/** Throws `UniqueViolation` if a unique value is taken; undefined if there is no such user. */
export async function updateUser (
  { orm, users }: Db,
  pk: string,
  changes: Partial<NewUserRow>
): Promise<UserRow | undefined> {
  try {
    const [user] = await orm.update(users).set(changes).where(eq(users.pk, pk)).returning()
    return user
  } catch (error) {
    throw isConflict(error) ? new UniqueViolation() : error
  }
}

/** The columns in which another user than `pk` already has the given value. */
export async function takenColumns (db: Db, values: Record<string, unknown>, pk?: string): Promise<string[]> {
  const { orm, users } = db
  // The columns of the user fields are known only at run time.
  const columns: Record<string, Column | undefined> = getTableColumns(users)
  const taken: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const column = columns[name]
    if (!column || value === undefined || value === null) continue
    const [other] = await orm
      .select({ pk: users.pk })
      .from(users)
      .where(and(
        name === 'email' ? eq(comparedEmail(db), value) : eq(column, value),
        pk === undefined ? undefined : ne(users.pk, pk)
      ))
      .limit(1)
    if (other) taken.push(name)
  }
  return taken
}

/** Locks the row. Undefined if the user was deactivated or deleted, or the password changed since it was verified. */
export async function recordLogin (
  { orm, users }: Db,
  { pk, passwordHash }: UserRow,
  changes: { lastLogin: Date, passwordHash?: string }
): Promise<UserRow | undefined> {
  const [user] = await orm.update(users).set(changes)
    .where(and(eq(users.pk, pk), eq(users.isActive, true), hasPassword(users, passwordHash))).returning()
  return user
}

const hasPassword = (users: Db['users'], hash: string | null) =>
  hash === null ? isNull(users.passwordHash) : eq(users.passwordHash, hash)

/** The user, whose row is locked until the transaction ends: the update changes nothing, but takes the lock. */
export async function lockUser ({ orm, users }: Db, pk: string): Promise<UserRow | undefined> {
  const [user] = await orm.update(users).set({ isActive: sql`${users.isActive}` }).where(eq(users.pk, pk)).returning()
  return user
}

/** Marks the user's address as verified; undefined if it is no longer the user's, or the user is not active. */
export async function verifyEmail (db: Db, pk: string, email: string): Promise<UserRow | undefined> {
  const { orm, users } = db
  const [user] = await orm
    .update(users)
    .set({ emailVerified: true })
    .where(and(eq(users.pk, pk), eq(comparedEmail(db), email), eq(users.isActive, true)))
    .returning()
  return user
}

/** Replaces the password hash `from`; undefined if it is no longer that, so that one of two concurrent calls wins. */
export async function replacePassword (
  { orm, users }: Db,
  pk: string,
  from: string | null,
  to: string,
  changes: Partial<NewUserRow> = {}
): Promise<UserRow | undefined> {
  const [user] = await orm
    .update(users)
    .set({ ...changes, passwordHash: to })
    .where(and(eq(users.pk, pk), hasPassword(users, from)))
    .returning()
  return user
}

export async function deleteUser ({ orm, users }: Db, pk: string): Promise<boolean> {
  return (await orm.delete(users).where(eq(users.pk, pk)).returning({ pk: users.pk })).length > 0
}
