/**
 * The promise of docs/upgrades.md: every release's database is migrated and its users go on, and the last release still
 * runs on a database that this version has migrated, beside it or after it.
 */
import { cpSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { codeOf, keyIn } from './support/answers.js'
import { story, type Build, type BuiltApp, type Test } from './support/build.js'
import { execute, temporaryFile, type TestedDatabase } from './support/databases.js'
import {
  fileOf, lastRelease, password, readJson, releaseOptions, releases, startRelease, unpackPackage, type ReleaseApp,
  type ReleaseUser, type ReleaseUsers, type Send
} from './support/releases.js'

/** A copy of a release's database. */
async function openCopy (t: Test, tested: TestedDatabase, release: string): Promise<unknown> {
  if (tested.dialect === 'sqlite') {
    const file = temporaryFile(t)
    cpSync(fileOf(release, 'sqlite.db'), file)
    return file
  }
  const { database, close } = await tested.open()
  t.teardown(close)
  const dump = readFileSync(fileOf(release, 'postgres.sql'), 'utf8')
  if (typeof database === 'string') await execute(database, dump)
  else await (database as { $client: PGlite }).$client.exec(dump)
  return database
}

interface Upgraded extends BuiltApp {
  users: ReleaseUser[]
  send: Send
}

/** This version on a copy, which it migrates. Its clock goes on where the release's stopped. */
async function upgrade (t: Test, build: Build, tested: TestedDatabase, release: string): Promise<Upgraded> {
  const database = await openCopy(t, tested, release)
  const { at, [tested.dialect]: users } = readJson<ReleaseUsers>(release, 'users.json')
  const built = await build(t, { database, options: releaseOptions })
  built.clock.now = new Date(at)
  const send: Send = async (method, path, body, token) =>
    await built.call(method, path, { ...(body && { body }), token })
  return { ...built, users, send }
}

/** Does what this user would do next, and compares the answers with what must be true. */
async function goOn (t: Test, send: Send, user: ReleaseUser): Promise<void> {
  const post = async (path: string, body: object) => await send('POST', path, body)
  const isUser = (found: unknown) => t.match(found, user.user ?? {}, `${user.kind}: the user is as before`)

  if (user.reset) {
    // Before a login, which may store another hash of the password: a link is only for the password it was mailed for.
    const chosen = { new_password1: 'An0ther-secret-pw', new_password2: 'An0ther-secret-pw' }
    t.equal((await post('/password/reset/confirm', { ...user.reset, ...chosen })).statusCode, 200, 'the reset link')
    const answer = await post('/login', { ...user.login, password: chosen.new_password1 })
    t.equal(answer.statusCode, 200, 'the new password')
  } else if (user.refusal !== undefined) {
    t.match(codeOf(await post('/login', user.login ?? {})), user.refusal, `${user.kind}: still refused`)
  } else if (user.login) {
    // The second login meets what the first has stored, such as a new password hash.
    for (const time of ['first', 'second']) {
      const answer = await post('/login', user.login)
      t.equal(answer.statusCode, 200, `${user.kind}: ${time} login`)
      isUser(answer.json().user)
    }
  }
  if (user.providerToken !== undefined) {
    const answer = await post('/hub', { access_token: user.providerToken })
    t.equal(answer.statusCode, 200, `${user.kind}: login: ${answer.body}`)
    isUser(answer.json().user)
  }
  if (user.refresh !== undefined) {
    const answer = await post('/token/refresh', { refresh: user.refresh })
    t.equal(answer.statusCode, 200, `${user.kind}: refresh`)
    isUser((await send('GET', '/user', undefined, answer.json().access)).json())
  }
  for (const refresh of [user.spent, user.successor]) {
    if (refresh === undefined) continue
    t.equal(codeOf(await post('/token/refresh', { refresh })), '401 token_not_valid', `${user.kind}: the session ends`)
  }
  if (user.verificationKey !== undefined) {
    const answer = await post('/registration/verify-email', { key: user.verificationKey })
    t.equal(answer.statusCode, 200, 'the mailed link')
    t.equal((await post('/login', user.login ?? {})).statusCode, 200, `${user.kind}: login after that`)
  }
}

for (const release of releases) {
  story(`the users of ${release} go on after an upgrade`, async (t, build, tested) => {
    const { users, send } = await upgrade(t, build, tested, release)
    for (const user of users) await goOn(t, send, user)
  })
}

/** The last release, started on the database of an app, at the same time. */
async function startLastRelease (t: Test, { database, clock }: BuiltApp, migrate: boolean): Promise<ReleaseApp> {
  const unpacked = unpackPackage(fileOf(lastRelease, 'package.tgz'), dirname(temporaryFile(t)))
  const release = await startRelease(unpacked, { database, migrate }, () => clock.now)
  t.teardown(async () => await release.app.close())
  return release
}

/** A user of one version uses the other in turn. */
async function crossOver (t: Test, email: string, from: ReleaseApp, to: Send): Promise<string> {
  const fields = {
    gender: 'F', phone_number: '+15550100', newsletter: true, address: { city: 'Ålesund' }, badge: email.slice(0, 20)
  }
  const registered = await from.send('POST', '/registration', { email, password1: password, ...fields })
  t.equal(registered.statusCode, 201, registered.body)
  const key = keyIn((await from.mails()).at(-1))
  t.equal((await to('POST', '/registration/verify-email', { key })).statusCode, 200, 'the other opens the mailed link')
  const login = await from.send('POST', '/login', { email, password })
  const tokens = login.json()
  t.match((await to('GET', '/user', undefined, tokens.access)).json(), { email, ...fields }, 'the other reads the user')
  const changed = await to('PATCH', '/user', { gender: 'NS', address: { city: 'Oslo' } }, tokens.access)
  t.equal(changed.statusCode, 200, changed.body)
  const read = await from.send('GET', '/user', undefined, tokens.access)
  t.match(read.json(), { gender: 'NS', address: { city: 'Oslo' } }, 'the first reads what the other has changed')
  let { refresh } = tokens
  for (const send of [to, from.send, from.send, to, to]) {
    const next = await send('POST', '/token/refresh', { refresh })
    t.equal(next.statusCode, 200, `the session goes on in turn: ${next.body}`)
    refresh = next.json().refresh
  }
  t.equal((await to('POST', '/login', { email, password })).statusCode, 200, 'and the other knows the password')
  return tokens.refresh
}

for (const migrate of [false, true]) {
  const title = `${lastRelease} runs beside this version, with migrate: ${migrate}`
  story(title, async (t, build, tested) => {
    const upgraded = await upgrade(t, build, tested, lastRelease)
    const { clock, send, mails } = upgraded
    const release = await startLastRelease(t, upgraded, migrate)
    const current: ReleaseApp = { app: upgraded.app, send, mails }
    const first = await crossOver(t, 'old@example.com', release, send)
    const second = await crossOver(t, 'new@example.com', current, release.send)
    clock.advance(60)
    // Spent tokens: each version knows those that the other has exchanged.
    for (const [one, refresh] of [[current, first], [release, second]] as const) {
      t.equal(codeOf(await one.send('POST', '/token/refresh', { refresh })), '401 token_not_valid')
    }
  })
}

story(`after a rollback to ${lastRelease} its users go on`, async (t, build, tested) => {
  const upgraded = await upgrade(t, build, tested, lastRelease)
  for (const user of upgraded.users.filter(({ kind }) => kind === 'imported from Django')) {
    await goOn(t, upgraded.send, user)
  }
  const release = await startLastRelease(t, upgraded, true)
  for (const user of upgraded.users) await goOn(t, release.send, user)
})
