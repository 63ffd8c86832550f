/** `fastify-rest-auth users send-reset`: queues the mail, and sends it if a mail server can be reached from here. */
import type { StoredUser } from '../../types.js'
import { openTransport } from '../../mail/transport.js'
import { defineCommand } from '../command.js'
import { lineOf } from '../error-line.js'
import { findUser, nameOfUser, userArgument } from './find.js'
import { userFlags, withUsers, type Opened } from './open.js'

export const sendReset = defineCommand({
  argument: userArgument,
  flags: userFlags,
  run: async ({ argument, values }) => await withUsers('users send-reset', values, async opened => {
    const user = await findUser('users send-reset', argument, opened)
    if (user.email === null) throw new Error(`users send-reset: ${nameOfUser(user)} has no address`)
    if (!user.is_active) throw new Error(`users send-reset: ${nameOfUser(user)} is deactivated; run users activate`)
    const id = await opened.restAuth.mail.send('password-reset', user)
    const obstacle = await findObstacle(opened)
    const result = obstacle === undefined
      ? await sendNow(id, user.email, opened)
      : { state: 'queued', text: `queued; your app sends the mail, because ${obstacle}` }
    return report(user, id, result)
  })
})

interface Result {
  state: string
  text: string
}

const report = (user: StoredUser, id: string, { state, text }: Result) =>
  ({ text: `${nameOfUser(user)}: ${text}`, data: { pk: user.pk, mail: id, state, detail: text } })

/** Why the mail can't be sent from here: only an app that listens may know its address, or reach the mail server. */
async function findObstacle ({ settings: { publicUrl, mail } }: Opened): Promise<string | undefined> {
  if (publicUrl === undefined) return 'publicUrl is not set, so only the app knows the address for the link'
  const transport = await openTransport(mail.transport)
  try {
    await transport.verify()
    return undefined
  } catch (error) {
    return `the mail server can't be used from here (${lineOf(error)})`
  } finally {
    await transport.close()
  }
}

async function sendNow (id: string, address: string, { restAuth: { mail } }: Opened): Promise<Result> {
  await mail.flush()
  const sent = (await mail.list()).find(mail => mail.id === id)
  if (sent?.state === 'sent') return { state: 'sent', text: `sent to ${address}` }
  // The mail is dropped if the user has got as many as they may, and has not used them.
  if (!sent) return { state: 'dropped', text: 'not sent, because the links mailed within the last hour still work' }
  const reason = sent.lastError ?? 'your app sends it at this moment'
  if (sent.state === 'failed') throw new Error(`users send-reset: the mail server refused the mail (${reason})`)
  return { state: 'queued', text: `queued, and not sent yet (${reason})` }
}
