/**
 * Whether the time of an answer tells who has an account: a rank test over interleaved pairs of logins.
 * 0.5 means that the one can't be told from the other; the bar is 0.47 to 0.53.
 *
 *   npm run bench:timing
 */
import { performance } from 'node:perf_hooks'
import Fastify from 'fastify'
import restAuth from '../src/index.js'

const pairs = 1000
const password = 'Sup3r-secret-pw'
const app = Fastify()
await app.register(restAuth, { secret: 'mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo', database: ':memory:', docs: false })
const post = async (path: string, payload: object) => await app.inject({ method: 'POST', url: `/auth/${path}`, payload })
for (const name of ['known', 'deactivated']) await post('registration', { email: `${name}@example.com`, password1: password })
await app.restAuth.users.deactivate((await app.restAuth.users.find({ email: 'deactivated@example.com' }))?.pk ?? '')
// The article's app, compiled along, declares fields that this one does not have.
await app.restAuth.users.create({ email: 'passwordless@example.com' } as never)

async function timed (email: string): Promise<number> {
  const start = performance.now()
  await post('login', { email, password: 'not the password' })
  return performance.now() - start
}

/** The chance that a time of `a` is longer than one of `b`: the area under the ROC curve. */
function auc (a: number[], b: number[]): number {
  const all = [...a.map(time => ({ time, isA: true })), ...b.map(time => ({ time, isA: false }))].sort((x, y) => x.time - y.time)
  const ranks = all.reduce((sum, { isA }, index) => isA ? sum + index + 1 : sum, 0)
  return (ranks - a.length * (a.length + 1) / 2) / (a.length * b.length)
}

const median = (times: number[]) => [...times].sort((x, y) => x - y)[times.length >> 1] ?? 0

for (const name of ['known', 'deactivated', 'passwordless']) {
  const [theirs, unknown]: [number[], number[]] = [[], []]
  for (let pair = 0; pair < pairs; pair++) {
    // In turn, and the first of a pair by turns too, so that drift falls on both.
    const steps = [async () => theirs.push(await timed(`${name}@example.com`)), async () => unknown.push(await timed(`nobody${pair}@example.com`))]
    for (const step of pair % 2 ? steps : steps.reverse()) await step()
  }
  console.log(`${name} against unknown, ${pairs} pairs: AUC ${auc(theirs, unknown).toFixed(3)}, medians ${median(theirs).toFixed(2)} and ${median(unknown).toFixed(2)} ms`)
}
await app.close()
