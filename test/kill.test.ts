/**
 * No mail is lost when a process dies: servers are killed at random moments while users register, first a single
 * server, then one of two. Every user whose registration was answered gets the mail; duplicates are the same mail.
 * `npm run chaos` is the long form.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../src/db/open.js'
import { keyIn } from './support/answers.js'
import { createStarter, type AppProcess } from './support/app-process.js'
import { password, secret, t } from './support/build.js'
import { databases, temporaryFile } from './support/databases.js'
import { startMailServer, type CaughtMail } from './support/mail-server.js'
import { createRandom } from './support/random.js'

const isLong = process.env.CHAOS !== undefined
const wanted = isLong ? 300 : 120
// One server alone at first, and then two.
const rounds = isLong ? 8 : 4
const lanes = 6
// All that a process was sending when it died may be sent again.
const batch = 10
const seed = 20261123

const post = async (url: string, body: object): Promise<Response> =>
  await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

function byRecipient (mails: CaughtMail[]): Map<string, CaughtMail[]> {
  const found = new Map<string, CaughtMail[]>()
  for (const mail of mails) found.set(mail.to, [...found.get(mail.to) ?? [], mail])
  return found
}

for (const tested of databases) {
  t.test(`of ${wanted} users who register while servers are killed, all get their mail (${tested.name})`, {
    skip: tested.name === 'PGlite' && 'PGlite works in one process only; POSTGRES_URL names a server'
  }, async t => {
    const began = performance.now()
    const { database: opened, close } = await tested.open(true)
    const database = tested.dialect === 'sqlite' ? temporaryFile(t) : opened
    const mailServer = await startMailServer()
    t.teardown(async () => {
      await mailServer.close()
      await close()
    })
    const start = createStarter(t, {
      database,
      secret,
      migrate: true,
      docs: false,
      limits: false,
      publicUrl: 'http://localhost:3000',
      userFields: {},
      account: { emailVerification: 'mandatory' },
      mail: { transport: mailServer.url }
    // One for each round, the second of the pair, the first, and the last.
    }, rounds + 3)
    const random = createRandom(seed)
    const servers: AppProcess[] = []
    const acknowledged = new Set<string>()
    const unexpected: string[] = []
    let [asked, kills, ahead] = [0, 0, 0]

    /** Registers a new user. An address that got no answer is not used again. */
    async function register (): Promise<void> {
      const server = servers[asked % servers.length]
      if (!server) return await sleep(5)
      const email = `u${asked++}@example.com`
      const registration = post(`${server.url}/auth/registration`, { email, password1: password })
      const answer = await registration.catch(() => undefined)
      if (answer?.status === 201) acknowledged.add(email)
      else if (answer) unexpected.push(await answer.text())
    }
    const registerUntil = async (count: number) => await Promise.all(Array.from({ length: lanes }, async () => {
      while (acknowledged.size < count) await register()
    }))
    async function killOne (): Promise<void> {
      const [server] = servers.splice(Math.floor(random() * servers.length), 1)
      await server?.kill()
      kills++
    }

    servers.push(await start(ahead))
    for (let round = 0; round < rounds; round++) {
      const [from, to] = [round, round + 1].map(count => count * wanted / rounds) as [number, number]
      const registered = registerUntil(to)
      const moment = from + random() * (to - from)
      while (acknowledged.size < moment) await sleep(1)
      // Not right after an answer, but at any moment between two, and while the mails go out.
      await sleep(random() * 60)
      await killOne()
      // The clock of the next server is a minute ahead, when the mails that the dead one had claimed are due again.
      if (servers.length === 0) ahead += 61
      while (servers.length < (round < rounds / 2 ? 1 : 2)) servers.push(await start(ahead))
      await registered
    }
    while (servers.length > 0) await killOne()
    const arrived = mailServer.mails.length

    const last = await start(ahead + 61)
    const db = await openDatabase(database, [], () => {})
    t.teardown(() => db.close())
    const left = async () => (await db.orm.select().from(db.outbox)).filter(({ sentAt }) => !sentAt).length
    const deadline = performance.now() + 300_000
    while (await left() > 0 && performance.now() < deadline) await sleep(20)
    t.equal(await left(), 0, 'nothing waits, and nothing was given up')

    const users = new Set((await db.orm.select().from(db.users)).map(({ email }) => email ?? ''))
    const mails = byRecipient(mailServer.mails)
    t.same(unexpected, [], 'every answer was a 201')
    t.equal([...acknowledged].filter(email => !users.has(email)).length, 0, 'every acknowledged user is stored')
    t.equal([...users].filter(email => !mails.has(email)).length, 0, 'every stored user got the mail')
    t.equal([...mails.keys()].filter(email => !users.has(email)).length, 0, 'and nobody else did')
    const differing = [...mails.values()].filter(([first, ...again]) =>
      again.some(({ messageId, text }) => messageId !== first?.messageId || text !== first.text)
    )
    t.equal(differing.length, 0, 'duplicates are the same mail')
    const duplicates = mailServer.mails.length - mails.size
    t.ok(duplicates <= kills * batch, `${duplicates} came twice`)
    const keys = [...mails.values()].map(([mail]) => keyIn(mail))
    const confirmed = await Promise.all(
      keys.map(async key => (await post(`${last.url}/auth/registration/verify-email`, { key })).status)
    )
    t.equal(confirmed.filter(status => status === 200).length, users.size, 'every link works')
    await last.kill()
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    t.comment(
      `seed ${seed}: ${kills} kills; ${asked} registrations sent, ${acknowledged.size} acknowledged, ` +
      `${users.size} stored; ${arrived} mails before the last start and ${mailServer.mails.length} after it, ` +
      `${duplicates} of them duplicates; ${seconds} s`
    )
  })
}
