/**
 * Parallel refreshes: within the grace period all get the same next token, and ending a session wins over a refresh
 * that runs at the same time, so that no session comes back to life. On PostgreSQL two instances share the work.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LightMyRequestResponse } from 'fastify'
import { openDatabase } from '../src/db/open.js'
import { password, story, type Build, type BuiltApp, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { existingTable } from './support/users-table.js'

const crowd = 25
const times = async <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await work(index)))
const emailOf = (index: number) => `u${index}@example.com`

interface Pair { access: string, refresh: string }
interface Login extends Pair { user: { pk: string } }

/** Two instances on one database, and its rows. */
async function buildTwo (
  t: Test,
  build: Build,
  dialect: string,
  options: object = {},
  instances = dialect === 'postgres' ? 2 : 1
) {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  const one = await build(t, { options, ...(file && { database: file }) })
  const database = file ?? one.database
  const other = instances === 2 ? await build(t, { options, database }) : one
  const db = await openDatabase(database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  const apps = [one, other] as const
  return {
    apps,
    app: (index: number): BuiltApp => index % 2 === 0 ? one : other,
    advance: (seconds: number) => { for (const { clock } of new Set(apps)) clock.advance(seconds) },
    login: async (email: string, given = password): Promise<Login> =>
      (await one.post('/login', { email, password: given })).json(),
    sessions: async () => await db.orm.select().from(db.sessions),
    refreshTokens: async () => await db.orm.select().from(db.refreshTokens)
  }
}
type Two = Awaited<ReturnType<typeof buildTwo>>

const refreshAt = async ({ post }: BuiltApp, refresh: string) => await post('/token/refresh', { refresh })
const isGiven = ({ statusCode }: LightMyRequestResponse) => statusCode === 200

for (const [where, instances, total] of [['at once', undefined, 20], ['over two connections', 2, 5]] as const) {
  story(`twenty refreshes with one token ${where} all get the same next token`, async (t, build, { dialect }) => {
    const { app, apps: [{ register }], sessions, refreshTokens } = await buildTwo(t, build, dialect, {}, instances)
    let { refresh } = await register()
    for (let round = 1; round <= total; round++) {
      const answers = await times(20, async index => await refreshAt(app(index), refresh))
      const given = new Set(answers.filter(isGiven).map(answer => answer.json().refresh))
      if (!answers.every(isGiven) || given.size !== 1) {
        t.fail(`round ${round}`, { answers: answers.map(({ body }) => body) })
      }
      refresh = [...given][0]
      if ((await refreshTokens()).length !== 2) t.fail(`round ${round}: ${(await refreshTokens()).length} rows`)
    }
    t.equal((await sessions()).length, 1)
    t.comment(`${total} rounds of 20`)
  })
}

story('without grace, one of twenty refreshes succeeds, and reuse ends the session', async (t, build, { dialect }) => {
  const {
    app,
    apps: [{ register }],
    login,
    sessions
  } = await buildTwo(t, build, dialect, { tokens: { refreshGrace: 0 } })
  const { access: token } = await register({ email: emailOf(0) })
  await app(0).post('/logout', {}, { token })
  for (let round = 0; round < 12; round++) {
    const { refresh } = await login(emailOf(0))
    const answers = await times(20, async index => await refreshAt(app(index), refresh))
    t.equal(answers.filter(isGiven).length, 1, `round ${round}`)
    t.equal(answers.filter(({ statusCode }) => statusCode === 401).length, 19)
    t.same(await sessions(), [])
  }
  t.comment('12 rounds of 20')
})

interface Victim extends Pair {
  index: number
  pk: string
  password: string
  /** A token that was used longer ago than the grace period. */
  used: string
  /** Another session of the same user. */
  other: Pair
}

interface Ending {
  end: (app: BuiltApp, victim: Victim) => Promise<unknown>
  /** How many sessions the user has left. */
  left: number
  /** Rounds of one crowd each; the three ways to log out share theirs. */
  rounds?: number
  /** Milliseconds between refreshes, so that some come before it and some after. */
  pace?: number
  /** Restores the user for the next round. */
  after?: (app: BuiltApp, victim: Victim) => Promise<unknown>
}

const endings: Record<string, Ending> = {
  'a logout by access token': {
    end: async ({ post }, { access }) => await post('/logout', {}, { token: access }),
    left: 1,
    rounds: 3
  },
  'a logout by the same refresh token': {
    end: async ({ post }, { refresh }) => await post('/logout', { refresh }),
    left: 1,
    rounds: 3
  },
  'a logout everywhere': {
    end: async ({ post }, { other }) => await post('/logout/all', undefined, { token: other.access }),
    left: 0,
    rounds: 3
  },
  'a new password': {
    end: async ({ post }, victim) => {
      const { password: old, other } = victim
      victim.password = `${old}x`
      await post('/password/change', { old_password: old, new_password1: victim.password }, { token: other.access })
    },
    left: 1,
    pace: 8
  },
  'a deactivation': {
    end: async ({ app }, { pk }) => await app.restAuth.users.deactivate(pk),
    left: 0,
    after: async ({ app }, { pk }) => await app.restAuth.users.activate(pk)
  },
  'the use of an older token': { end: async (app, { used }) => await refreshAt(app, used), left: 1 },
  'a deletion': {
    end: async ({ app }, { pk }) => await app.restAuth.users.delete(pk),
    left: 0,
    after: async ({ register }, { index }) => await register({ email: emailOf(index) })
  }
}

for (const [title, { end, left, rounds = 8, pace = 3, after }] of Object.entries(endings)) {
  story(`no session survives ${title} because of a parallel refresh`, async (t, build, { dialect }) => {
    const two = await buildTwo(t, build, dialect)
    const { apps: [one] } = two
    const endAll = async () =>
      await Promise.all((await two.sessions()).map(async ({ id }) => await one.app.restAuth.sessions.end(id)))
    await times(crowd, async index => await one.register({ email: emailOf(index) }))
    const passwords = Array<string>(crowd).fill(password)
    const figures = { races: 0, refreshed: 0, violations: 0 }
    for (let round = 0; round < rounds; round++) {
      await endAll()
      const victims = await times(crowd, async index => await prepare(two, index, passwords[index] ?? ''))
      two.advance(11)
      const answers = (
        await Promise.all(
          victims.map(
            async victim => await race(two, victim, pace, async () => await end(two.app(victim.index), victim))
          )
        )
      ).flat()
      const given = answers.filter(isGiven).map(answer => answer.json())
      figures.races += crowd
      figures.refreshed += given.length
      figures.violations +=
        Math.abs((await two.sessions()).length - left * crowd) + (await countAlive(two, [...victims, ...given]))
      for (const { index, password } of victims) passwords[index] = password
      if (after) await Promise.all(victims.map(async victim => await after(one, victim)))
    }
    t.equal(figures.violations, 0)
    t.comment(`${figures.races} races, ${figures.refreshed} refreshes answered, ${figures.violations} violations`)
  })
}

async function prepare ({ apps: [app], login }: Two, index: number, password: string): Promise<Victim> {
  const [first, other] = [await login(emailOf(index), password), await login(emailOf(index), password)]
  const { refresh, access } = (await refreshAt(app, first.refresh)).json()
  return { index, pk: first.user.pk, password, used: first.refresh, refresh, access, other }
}

/** Two refreshes, one at each instance, and the end of the session before, between or after them. */
async function race (
  { app }: Two,
  { index, refresh }: Victim,
  pace: number,
  end: () => Promise<unknown>
): Promise<LightMyRequestResponse[]> {
  const later = async <T>(milliseconds: number, work: () => Promise<T>) => {
    await sleep(milliseconds)
    return await work()
  }
  const [one, other] = await Promise.all([
    later(index % 3, async () => await refreshAt(app(index), refresh)),
    later(index * pace, async () => await refreshAt(app(index + 1), refresh)),
    later(index * 2, end)
  ])
  return [one, other]
}

/** How many of these tokens are valid. */
async function countAlive ({ app }: Two, pairs: Pair[]): Promise<number> {
  const answers = await Promise.all(
    pairs
      .flatMap(({ access, refresh }) => [access, refresh])
      .map(async (token, index) => await app(index).post('/token/verify', { token }))
  )
  return answers.filter(({ statusCode }) => statusCode !== 401).length
}

story('parallel reuse of an older token causes one event and one mail', async (t, build, { dialect }) => {
  const { app, apps, advance, sessions } = await buildTwo(t, build, dialect)
  const { refresh } = await apps[0].register()
  await refreshAt(app(0), refresh)
  advance(11)
  const answers = await times(30, async index => await refreshAt(app(index), refresh))
  t.same(answers.filter(({ statusCode }) => statusCode !== 401), [])
  t.same(await sessions(), [])
  const logs = [...new Set(apps)].flatMap(({ logs }) => logs)
  t.equal(logs.filter(line => line.includes('token_reused')).length, 1)
  t.equal((await apps[0].app.restAuth.mail.list()).filter(({ template }) => template === 'token-reuse').length, 1)
})

story('reuse of an older token during the deletion of its user is a normal refusal', async (t, build, { dialect }) => {
  const { app, apps: [one], advance, sessions } = await buildTwo(t, build, dialect)
  const users = await times(20, async index => await one.register({ email: emailOf(index) }))
  await times(20, async index => await refreshAt(one, users[index]?.refresh ?? ''))
  advance(11)
  const answers = await times(20, async index => await Promise.all([
    refreshAt(app(index), users[index]?.refresh ?? ''),
    sleep(index % 4).then(async () => await one.app.restAuth.users.delete(users[index]?.user.pk ?? ''))
  ]))
  for (const [answer, isDeleted] of answers) t.same([answer.statusCode, isDeleted], [401, true])
  t.same(await sessions(), [])
})
