/** What is loaded on demand is loaded once, even if many need it at the same time. */
import { onDemand } from '../src/lib/on-demand.js'
import { t } from './support/build.js'

t.test('calls at the same time load once, and a failed attempt is repeated', async t => {
  let attempts = 0
  const load = onDemand(async () => {
    attempts++
    // What it waits for takes longer than the other calls take to come.
    await new Promise(resolve => setImmediate(resolve))
    if (attempts === 1) throw new Error('not yet')
    return { attempts }
  })
  const failed = await Promise.allSettled([load(), load()])
  t.same(failed.map(({ status }) => status), ['rejected', 'rejected'])
  t.equal(attempts, 1)
  const [one, other] = await Promise.all([load(), load()])
  t.equal(one, other)
  t.equal(await load(), one)
  t.equal(attempts, 2)
})
