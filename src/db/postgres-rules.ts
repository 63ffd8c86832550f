/**
 * Rules for every statement on PostgreSQL, on our own Drizzle instance and on the app's: sessions are never read from a
 * cache, dates are read in every `DateStyle`, and a statement that a pooler has lost is sent again without a name.
 */
import { sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT, PgSession } from 'drizzle-orm/pg-core'
import { retry } from '../lib/retry.js'
import { isOvertaken, isPreparedStatementLost } from './errors.js'

// Any schema: the host's instance may have its own.
export type PgOrm = PgDatabase<PgQueryResultHKT, any, any>
export type RunTransaction = <T>(work: (tx: PgOrm) => Promise<T>) => Promise<T>

type QueryParameters = Parameters<PgSession['prepareQuery']>
type Prepared = ReturnType<PgSession['prepareQuery']>

export interface Rules {
  /** Whether frequent statements are prepared under a name. Turned off by the first error that a pooler causes so. */
  prepare: boolean
  /** Whether the connections write dates in the ISO style, the only one that Drizzle reads. */
  isoDates: boolean
}

/** Runs it again if the database asks for that, then throws its error. */
export function untilSettled<T> (rules: Rules, attempt: () => Promise<T>): Promise<T> {
  // As it began: of many that fail at once, all but the first find the rule changed already.
  let wasPrepared = rules.prepare
  const begin = () => {
    wasPrepared = rules.prepare
    return attempt()
  }
  return retry(begin, {
    attempts: 16,
    when: error => {
      const isLost = wasPrepared && isPreparedStatementLost(error)
      if (isLost) rules.prepare = false
      return isLost || isOvertaken(error)
    },
    // At random, because those that met would meet again; and longer on a busy server, where all attempts take longer.
    waitMs: (attempt, tookMs) => Math.random() * Math.min(20 * 2 ** attempt, 400 + 5 * tookMs)
  })
}

/** The instance with these rules. Its statements run each for itself; `transaction` is that of the instance. */
export const withRules = (orm: PgOrm, rules: Rules, transaction: RunTransaction): PgOrm =>
  withSession(orm, rules, run => untilSettled(rules, () => rules.isoDates
    ? run(sessionOf(orm))
    : transaction(async tx => {
      await useIsoDates(tx, rules)
      return await run(sessionOf(tx))
    })))

/** A transaction with these rules. A statement that fails ends it, so nothing is tried again here. */
export async function withRulesInside (tx: PgOrm, rules: Rules): Promise<PgOrm> {
  await useIsoDates(tx, rules)
  return withSession(tx, rules, run => run(sessionOf(tx)))
}

async function useIsoDates (tx: PgOrm, { isoDates }: Rules): Promise<void> {
  if (!isoDates) await tx.execute(sql`SET LOCAL datestyle TO 'ISO'`)
}

export async function hasIsoDates (orm: PgOrm): Promise<boolean> {
  const style = sql<string>`current_setting('DateStyle')`
  const [row] = await orm.select({ style }).from(sql`(VALUES (1)) AS one`).$withCache(false)
  return row?.style.startsWith('ISO') === true
}

type RunOn = <T>(run: (session: PgSession) => Promise<T>) => Promise<T>

/** The same instance over a session that prepares statements by the rules; `runOn` decides where and how often. */
function withSession (orm: PgOrm, rules: Rules, runOn: RunOn): PgOrm {
  function prepareQuery (...parameters: QueryParameters): Prepared {
    const kept = new Map<PgSession, Prepared>()
    function preparedOn (session: PgSession): Prepared {
      const isNamed = Boolean(parameters[nameAt]) && rules.prepare
      const found = isNamed ? kept.get(session) : undefined
      if (found) return found
      const made = session.prepareQuery(...byRules(parameters, isNamed))
      if (isNamed && session === sessionOf(orm)) kept.set(session, made)
      return made
    }
    const handle: Prepared = Object.create(preparedOn(sessionOf(orm)), {
      // Drizzle sets properties of a prepared query after it was made, so they are handed on.
      execute: {
        value: (values?: Record<string, unknown>) =>
          runOn(session => Object.assign(preparedOn(session), handle).execute(values))
      }
    })
    return handle
  }
  const session = Object.create(sessionOf(orm), { prepareQuery: { value: prepareQuery } })
  return Object.create(orm, { session: { value: session } })
}

const nameAt = 2

/** Drizzle 0.45 passes (query, fields, name, isArray, mapper, metadata, cache); 1.0 (query, mode, name, mapper, …). */
function byRules (parameters: QueryParameters, isNamed: boolean): QueryParameters {
  const changed: unknown[] = [...parameters]
  if (!isNamed) changed[nameAt] = undefined
  // Writes still clear the cache of the host's instance; only reads bypass it.
  const isDrizzle1 = typeof changed[1] === 'string'
  changed[isDrizzle1 ? 5 : 6] = isDrizzle1 ? { enabled: false } : { enable: false }
  return changed as QueryParameters
}

// Drizzle declares it as internal.
const sessionOf = (orm: PgOrm): PgSession => (orm as unknown as { session: PgSession }).session
