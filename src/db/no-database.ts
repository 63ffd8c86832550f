/** A database that every query fails on: the OpenAPI document needs none, and so no driver has to be installed. */
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { Database } from './database.js'
import { executorsOf } from './sqlite-statements.js'
import { createTables } from './tables-sqlite.js'

const refuse = async (): Promise<never> => {
  throw new Error('fastify-rest-auth: this command uses no database')
}

export const noDatabase = (fields: readonly FieldSpec[]): Database => ({
  ...createTables({ fields }),
  names: {},
  afterCommit: () => {},
  dialect: 'sqlite',
  orm: drizzle(executorsOf(refuse)),
  transaction: refuse,
  underMigrationLock: refuse,
  execute: refuse,
  identity: refuse,
  close: async () => {}
})
