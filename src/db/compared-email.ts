/** By what a canonical address is found. */
import { sql, type SQL } from 'drizzle-orm'
import type { Db } from './database.js'

/** The app's own column may hold an address in capitals, and has an index on its lower case. */
export const comparedEmail = ({ users, existing }: Db): SQL<string> =>
  existing?.emailKey.sql ?? sql<string>`${users.email}`
