import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { buildApp as buildArticle } from '../examples/article/app.js'
import { buildApp as buildMinimal } from '../examples/minimal/app.js'
import { buildApp as buildPostgres } from '../examples/postgres/app.js'
import { alice, password, postgres, secret, t } from './helper.js'

const newcomer = { email: alice.email, password1: password }

t.test('the minimal app knows who is logged in', async t => {
  const app = await buildMinimal({ database: ':memory:' })
  t.teardown(() => app.close())
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload: newcomer })).json()
  const answer = await app.inject({ url: '/me', headers: { authorization: `Bearer ${access}` } })
  t.same(answer.json(), { hello: alice.email })
  t.equal((await app.inject('/me')).statusCode, 401)
})

t.test('the article\'s app knows the gender too, and shows its documents', async t => {
  const app = await buildArticle({ database: ':memory:', secret })
  t.teardown(() => app.close())
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload: alice })).json()
  const answer = await app.inject({ url: '/me', headers: { authorization: `Bearer ${access}` } })
  t.same(answer.json(), { hello: alice.email, gender: 'F' })
  t.equal((await app.inject('/')).headers.location, '/docs')
})

t.test(`the app on PostgreSQL writes a profile in the transaction of the registration (${postgres.name})`, async t => {
  const { database, close } = await postgres.open()
  const pool = typeof database === 'string' ? new pg.Pool({ connectionString: database }) : undefined
  // Its connections may outlive its end by a moment, in which the database is dropped.
  pool?.on('error', () => {})
  const app = await buildPostgres((pool ? drizzle(pool) : database) as Parameters<typeof buildPostgres>[0], { secret, docs: false })
  t.teardown(async () => {
    await app.close()
    await pool?.end()
    await close()
  })
  const { access } = (await app.inject({ method: 'POST', url: '/auth/registration', payload: newcomer })).json()
  const answer = await app.inject({ url: '/profile', headers: { authorization: `Bearer ${access}` } })
  t.match(answer.json(), { motto: 'New here' })
})
