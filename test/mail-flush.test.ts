/**
 * In a serverless function nothing runs once the handler has returned. So the handler awaits `mail.flush()`, which
 * leaves no mail behind that was queued before: each is handed to the transport, or has failed its attempt.
 */
import type { OutgoingMail } from '../src/types.js'
import { alice, story, type BuildOptions } from './support/build.js'

const mandatory = { account: { username: 'none', emailVerification: 'mandatory' } } as const

/** A transport that delivers when it is told to. */
function createGate () {
  const delivered: string[] = []
  let open = () => {}
  let arrive = () => {}
  const opened = new Promise<void>(resolve => { open = resolve })
  const arrived = new Promise<void>(resolve => { arrive = resolve })
  const transport = async ({ to }: OutgoingMail) => {
    arrive()
    await opened
    delivered.push(to)
  }
  return { transport, delivered, open, arrived }
}

/** A transport that notes at once whom it got a mail for. */
function createList (fail?: (to: string) => Error | undefined) {
  const delivered: string[] = []
  const transport = async ({ to }: OutgoingMail) => {
    const error = fail?.(to)
    if (error) throw error
    delivered.push(to)
  }
  return { transport, delivered }
}

const withTransport = (transport: unknown): BuildOptions => ({ options: { ...mandatory, mail: { transport } } })

story('a handler that awaits flush() returns after the mail is sent', async (t, build) => {
  const { transport, delivered } = createList()
  const { post, app } = await build(t, withTransport(transport))
  async function handler (email: string) {
    const answer = await post('/registration', { ...alice, email })
    await app.restAuth.mail.flush()
    return answer.statusCode
  }
  for (const email of ['a@example.com', 'b@example.com']) {
    t.equal(await handler(email), 201)
    t.equal(delivered.at(-1), email, 'sent before the handler returned')
  }
  t.equal((await app.restAuth.mail.list({ state: 'waiting' })).length, 0)
})

story('flush() waits for a mail that the app has begun to send by itself', async (t, build) => {
  const { transport, delivered, open, arrived } = createGate()
  const { post, app } = await build(t, withTransport(transport))
  await post('/registration', alice)
  await arrived
  let isFlushed = false
  const flushed = app.restAuth.mail.flush().then(() => { isFlushed = true })
  // A round trip to the database is more than a flush with nothing to do would need.
  await app.restAuth.mail.list()
  t.notOk(isFlushed)
  open()
  await flushed
  t.same(delivered, [alice.email])
})

story('flush() leaves none of many mails behind, however many calls there are at once', async (t, build) => {
  const { transport, delivered } = createList()
  const { post, app } = await build(t, withTransport(transport))
  const emails = Array.from({ length: 25 }, (_, index) => `u${index}@example.com`)
  await Promise.all(emails.map(async email => {
    await post('/registration', { ...alice, email })
    await app.restAuth.mail.flush()
    t.ok(delivered.includes(email), email)
  }))
  t.same([...delivered].sort(), [...emails].sort())
})

story('flush() resolves when a mail fails, which is tried again when it is due', async (t, build) => {
  let isDown = true
  const { transport, delivered } = createList(to =>
    to === 'gone@example.com'
      ? Object.assign(new Error('no such mailbox'), { permanent: true })
      : isDown ? new Error('down') : undefined)
  const { post, app: { restAuth }, clock } = await build(t, withTransport(transport))
  for (const email of [alice.email, 'gone@example.com']) await post('/registration', { ...alice, email })
  await restAuth.mail.flush()
  t.same((await restAuth.mail.list()).map(({ state, attempts, lastError }) => [state, attempts, lastError]), [
    ['waiting', 1, 'down'], ['failed', 1, 'no such mailbox']
  ])
  isDown = false
  await restAuth.mail.flush()
  t.same(delivered, [], 'not before it is due')
  clock.advance(31)
  await restAuth.mail.flush()
  t.same(delivered, [alice.email])
})

story("flush() sends the app's own mails too", async (t, build) => {
  const { transport, delivered } = createList()
  const { register, app: { restAuth } } = await build(t, { options: { mail: { transport } } })
  const { user } = await register()
  await restAuth.mail.send('password-changed', user)
  await restAuth.mail.flush()
  t.same(delivered, [alice.email])
})
