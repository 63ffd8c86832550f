/** Password hashes are limited, and clients take turns: a flood from one address keeps nobody else out. */
import { createFairQueue, QueueFull } from '../src/lib/fair-queue.js'
import { alice, password, sqliteBuild, t } from './support/build.js'

const right = { email: alice.email, password }

t.test('while one address floods the login, others log in', async t => {
  const { post, register } = await sqliteBuild(t, { server: { trustProxy: true }, options: { limits: false } })
  await register()
  const loginFrom = async (address: string) =>
    (await post('/login', right, { fault: true, headers: { 'x-forwarded-for': address } })).statusCode
  const flood = Array.from({ length: 300 }, async () => await loginFrom('198.51.100.1'))
  const others = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => await loginFrom(`203.0.113.${index}`)))
  t.same(others, Array(10).fill(200))
  const answers = await Promise.all(flood)
  t.ok(answers.includes(503), 'the flood was refused in part')
  t.ok(answers.includes(200), 'and answered in part')
})

/** Jobs that end when the test says so; `started` has their names in order. */
function createJobs (atOnce: number, max: number) {
  const run = createFairQueue(atOnce, max)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const add = async (client: string, name: string): Promise<void> => await run(client, async () => {
    started.push(name)
    await new Promise<void>(resolve => ends.set(name, resolve))
  })
  const end = async (name: string) => {
    ends.get(name)?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { add, end, started }
}

t.test('clients take turns, each with its own jobs in order', async t => {
  const { add, end, started } = createJobs(1, 10)
  const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map(async name => await add(name.charAt(0), name))
  for (let index = 0; index < all.length; index++) await end(started[index] ?? '')
  t.same(started, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
  await Promise.all(all)
})

t.test('a full queue refuses the last job of the client with the most', async t => {
  const { add, end, started } = createJobs(1, 3)
  const names = ['a0', 'a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']
  const all = Promise.allSettled(names.map(async name => await add(name.charAt(0), name)))
  for (let index = 0; index < 4; index++) await end(started[index] ?? '')
  const refused = (await all).map((result, index) => result.status === 'rejected' && [names[index], result.reason])
    .filter(Array.isArray)
  t.same(refused.map(([name]) => name), ['a2', 'a3', 'a4', 'b2'])
  t.ok(refused.every(([, reason]) => reason instanceof QueueFull))
  t.same(started, ['a0', 'a1', 'b1', 'c1'])
})

t.test('a job that fails makes place for the next', async t => {
  const run = createFairQueue(1, 10)
  await t.rejects(run('a', async () => { throw new Error('broken') }), { message: 'broken' })
  t.equal(await run('a', async () => 1), 1)
})
