/**
 * The plugin's own connections to a `postgres://` URL. No silence of the network lasts: a query has a time limit on
 * this side too, and a connection that reached it is thrown away.
 */
import type pg from 'pg'
import { codesOf, hasConnectionFailed } from './errors.js'
import type { PgOrm, RunTransaction } from './postgres-rules.js'

// The server's limit comes first, because it leaves the connection in order.
const statementTimeoutMs = 5000
const queryTimeoutMs = 6000
const connectTimeoutSeconds = 5

export interface Connections {
  orm: PgOrm
  transaction: RunTransaction
  /** A transaction with a connection of its own and no limit: waiting for another server's migration takes its time. */
  unlimitedTransaction: RunTransaction
  close: () => Promise<void>
}

/**
 * A pool for a URL. `own` are the app's options of it, which win over ours, as the parameters of the URL win over both.
 * `onIdleError` is called with the errors of idle connections.
 */
export async function openPool (
  url: string, own: pg.PoolConfig, onIdleError: (error: Error) => void
): Promise<Connections> {
  const [{ default: { Client, Pool } }, { drizzle }] = await Promise.all([
    import('pg'), import('drizzle-orm/node-postgres')
  ]).catch(error => {
    throw new Error('database: PostgreSQL needs the package pg (npm install pg)', { cause: error })
  })
  const { query_timeout: _query, statement_timeout: _statement, ...ownConnection } = own
  const unlimited = {
    ...connectionOptions(url), ...ownConnection, connectionString: withoutParameter(url, 'query_timeout')
  }
  const limited = { query_timeout: queryTimeoutMs, ...connectionOptions(url), ...own, connectionString: url }
  // Idle connections keep no process: a script ends by itself, and so does a serverless function.
  const pool = new Pool({
    allowExitOnIdle: true, ...await serverLimit(Client, unlimited), ...limited, verify: useIsoDates
  })
  // Without listeners, this process would crash when the database server stops.
  pool.on('error', onIdleError)
  pool.on('connect', client => client.on('error', () => {}))

  const transaction: RunTransaction = async work => {
    const client = await pool.connect()
    let failure: unknown
    try {
      return await drizzle({ client }).transaction(tx => work(tx).catch(error => {
        // Ended at once, because the rollback would wait behind the query that hangs.
        if (hasConnectionFailed(error)) void client.end()
        throw error
      }))
    } catch (error) {
      failure = error
      throw error
    } finally {
      client.release(hasConnectionFailed(failure))
    }
  }

  const unlimitedTransaction: RunTransaction = work => withClient(Client, unlimited, async client => {
    await client.query("SET datestyle TO 'ISO'")
    return await drizzle({ client }).transaction(work)
  })

  return { orm: drizzle({ client: pool }), transaction, unlimitedTransaction, close: () => pool.end() }
}

/** `connect_timeout` in the URL means what it does to PostgreSQL's own clients: seconds. */
const connectionOptions = (url: string) => ({
  connectionTimeoutMillis: 1000 * Number(/[?&]connect_timeout=(\d+)/.exec(url)?.[1] ?? connectTimeoutSeconds),
  keepAlive: true
})

const withoutParameter = (url: string, name: string) => url.replace(new RegExp(`([?&])${name}=[^&]*&?`), '$1')

/** The server's own limit, unless a pooler refuses to pass it on (PgBouncer: protocol violation). */
async function serverLimit (Client: typeof pg.Client, options: pg.ClientConfig): Promise<pg.ClientConfig> {
  const limit = { statement_timeout: statementTimeoutMs }
  return await withClient(Client, { ...options, ...limit }, async () => limit).catch((error: unknown) => {
    if (codesOf(error).includes('08P01')) return {}
    throw error
  })
}

async function withClient<T> (
  Client: typeof pg.Client,
  options: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>
): Promise<T> {
  const client = new Client(options)
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Drizzle reads no other style. Of all settings, PgBouncer keeps this one with the client. */
const useIsoDates = (client: pg.PoolClient, done: (error?: Error) => void): void => {
  client.query("SET datestyle TO 'ISO'", error => done(error ?? undefined))
}
