/** The test kit: it replaces the clock, the mail transport and the password hashes of the plugin, and logs users in. */
import { randomUUID } from 'node:crypto'
import type { Context, Feature } from '../context.js'
import { refuseInProduction, testKitKey } from '../lib/test-kit.js'
import type { Internals } from '../plugin.js'
import { createSessionsApi } from '../server-api/sessions.js'
import type { OutgoingMail } from '../types.js'
import { cheapHash } from './cheap-hash.js'
import { createTestClock, type TestClock } from './clock.js'
import { credentialsOf, type Credentials } from './credentials.js'
import { toTestMail, type TestMail } from './mails.js'

export interface TestKitOptions {
  /** Where the clock starts. Default: now. */
  now?: Date
}

/** Options of the plugin for tests. */
export interface TestOptions {
  database: string
  migrate: boolean
  docs: false
  limits: false
}

export interface LoginOptions {
  /** The path of the registration's routes, such as `/staff`. Default: the first registration. */
  under?: string
  /** How the user proved who they are (RFC 8176). */
  amr?: readonly string[]
}

export interface TestKit {
  /**
   * Spread them over your options: `app.register(restAuth, { ...auth, ...kit.options })`. They bring the kit, a
   * database in memory and its tables, and turn the limits off. You can set another `database` behind them, or
   * `limits`.
   */
  options: TestOptions
  /** The time of the plugin, which stands still until you move it. */
  clock: TestClock
  /**
   * Sends the mails that are due, and returns all that were sent, or those to one address, oldest first. Throws an
   * Error if no registration has got the kit.
   */
  mails: (to?: string) => Promise<TestMail[]>
  /**
   * Logs a user in, as `sessions.open` does, and returns the headers of their requests:
   * `app.inject({ url: '/me', ...await kit.as(user) })`. Throws an Error for a user who can't log in.
   */
  as: (user: { pk: string | number }, options?: LoginOptions) => Promise<Credentials>
}

/** A registration that the kit serves, and how to log in there. */
interface Registration {
  context: Context
  logIn: (user: { pk: string | number }, amr: readonly string[]) => Promise<Credentials>
}

/** Makes a test kit for one app. Throws an Error where `NODE_ENV` is `production`. */
export function createTestKit (options?: TestKitOptions): TestKit {
  refuseInProduction()
  const { kit, internals } = assembleKit(options)
  Object.assign(kit.options, { [testKitKey]: internals })
  return kit
}

/** A kit, and what it replaces in the plugin. The tests of this package use both in production, too. */
export function assembleKit ({ now = new Date() }: TestKitOptions = {}): { kit: TestKit, internals: Internals } {
  const clock = createTestClock(now)
  const registrations = new Map<string, Registration>()
  const sent: TestMail[] = []
  let isUsed = false
  const contexts = () => [...registrations.values()].map(({ context }) => context)

  const internals: Internals = {
    clock: () => clock.now,
    hashCost: cheapHash,
    // A busy machine is no failing provider.
    providerTimeoutMs: 60_000,
    transport: (mail: OutgoingMail) => { sent.push(toTestMail(mail, contexts().map(({ links }) => links))) },
    feature: createLogin((path, registration) => {
      isUsed = true
      registrations.set(path, registration)
      return () => registrations.get(path) === registration && registrations.delete(path)
    })
  }

  async function mails (to?: string): Promise<TestMail[]> {
    // Without its symbol, options that were copied in parts use the app's own transport.
    if (!isUsed) throw new Error('mails: no registration with kit.options is ready')
    for (const { outbox } of contexts()) await outbox.flush()
    return sent.filter(mail => to === undefined || mail.to === to)
  }

  const as: TestKit['as'] = async (user, { under, amr = ['pwd'] } = {}) => {
    const [first = ''] = registrations.keys()
    const registration = registrations.get(under ?? first)
    if (registration) return await registration.logIn(user, amr)
    const found = under === undefined ? 'is ready' : `has the path "${under}"`
    throw new Error(`as: no registration with kit.options ${found}`)
  }

  const options: TestOptions = { database: ':memory:', migrate: true, docs: false, limits: false }
  return { kit: { options, clock, mails, as }, internals }
}

/**
 * A feature that opens sessions without a password, by a route whose address only the kit knows, so that tokens and
 * cookies are those of a real login. `add` gets the registration, and returns what to do when the app closes.
 */
const createLogin = (add: (path: string, registration: Registration) => () => unknown): Feature => (app, context) => {
  const url = `/${randomUUID()}`
  const { open } = createSessionsApi(context)
  const remove = add(context.links.path, {
    context,
    logIn: async ({ pk }, amr) =>
      credentialsOf(await app.inject({ method: 'POST', url: `${app.prefix}${url}`, payload: { pk, amr } }))
  })
  app.addHook('onClose', async () => { remove() })
  app.post<{ Body: { pk: string, amr: string[] } }>(url, { schema: { hide: true } }, async (request, reply) => {
    const { pk, amr } = request.body
    return await open({ pk }, request, reply, { amr })
  })
}
