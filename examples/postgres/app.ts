/**
 * On PostgreSQL, with a table of the app: every user has a profile, because a hook inserts it in the transaction of the
 * registration.
 *
 *   DATABASE_URL=postgres://… npx tsx --conditions=fastify-rest-auth:source examples/postgres/app.ts     in a clone
 *   DATABASE_URL=postgres://… npx tsx app.ts     in a copy of this folder, see ../README.md
 */
import { pathToFileURL } from 'node:url'
import { eq, sql } from 'drizzle-orm'
import { pgTable, text, type PgDatabase, type PgQueryResultHKT } from 'drizzle-orm/pg-core'
import Fastify from 'fastify'
import restAuth, { authenticate } from 'fastify-rest-auth'
import { users } from 'fastify-rest-auth/drizzle/postgres'

export const profiles = pgTable('profiles', {
  userPk: text('user_pk').primaryKey().references(() => users.pk, { onDelete: 'cascade' }),
  motto: text('motto').notNull()
})

type Drizzle = PgDatabase<PgQueryResultHKT>

export async function buildApp (database: Drizzle, options: object = {}) {
  const app = Fastify()
  const hooks = {
    registered: async (user: { pk: string }, tx: Drizzle) => {
      await tx.insert(profiles).values({ userPk: user.pk, motto: 'New here' })
    }
  }
  const auth: object = { database, migrate: true, hooks, ...options }
  await app.register(restAuth, auth)
  await database.execute(
    sql`CREATE TABLE IF NOT EXISTS profiles (
      user_pk text PRIMARY KEY REFERENCES users (pk) ON DELETE CASCADE,
      motto text NOT NULL
    )`
  )
  app.get('/profile', { onRequest: authenticate }, async request => {
    const [profile] = await database.select().from(profiles).where(eq(profiles.userPk, request.user.pk))
    return profile
  })
  return app
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [{ default: { Pool } }, { drizzle }] = await Promise.all([import('pg'), import('drizzle-orm/node-postgres')])
  const pool = new Pool({ connectionString: process.env.DATABASE_URL })
  // Without a listener, a lost connection to PostgreSQL ends this process.
  pool.on('error', error => console.error(error.message))
  const app = await buildApp(drizzle({ client: pool }))
  await app.listen({ port: 3000 })
  console.log('Swagger UI: http://localhost:3000/docs')
}
