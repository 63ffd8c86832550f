/** Builds the dependencies of the features from the settings. */
import type { FastifyInstance } from 'fastify'
import { createLockout } from './account/lockout.js'
import { createPasswords } from './account/passwords.js'
import { createUserRecords } from './account/user-records.js'
import type { Context } from './context.js'
import type { Database } from './db/database.js'
import { createEvents } from './events/create-events.js'
import { createCsrfCheck, type CheckCsrf } from './http/csrf.js'
import type { HashCost } from './lib/password-hash.js'
import { createLimits } from './limits/create-limits.js'
import { resolveSite } from './mail/composer.js'
import { createMail } from './mail/create-mail.js'
import type { Inbox } from './mail/inbox.js'
import { createSweeper } from './maintenance/sweeper.js'
import { createAuthenticate } from './session/authenticate.js'
import { createAuthorizationHeader } from './session/authorization-header.js'
import { createBodyTransport } from './session/body-transport.js'
import { createCookieTransport } from './session/cookie-transport.js'
import { createSessions } from './session/sessions.js'
import type { TokenTransport } from './session/token-transport.js'
import { createTrustedDevices } from './session/trusted-devices.js'
import { contractOf } from './settings/contract.js'
import { createLinks, listenedOn } from './settings/links.js'
import type { Settings } from './settings/types.js'
import { createSocial } from './social/create-social.js'
import { samplePasswordHashes } from './store/users.js'

/** What tests and the command line replace. */
export interface ContextOverrides {
  clock?: () => Date
  hashCost?: HashCost
  providerTimeoutMs?: number | undefined
  /** Instead of the option `mail.transport`. */
  transport?: Settings['mail']['transport']
  /** Where the transport 'console' prints, instead of on stdout. */
  printMail?: (text: string) => void
  /** Sends mails only by `mail.flush`, so that a command sends none that it was not asked for. */
  sendsOnFlushOnly?: boolean
}

interface ContextOptions extends ContextOverrides {
  settings: Settings
  db: Database
  /** Of the plugin's routes, including the host's prefix. */
  path: string
  /** A prefix for the names of OpenAPI components and operations. */
  name: string
  inbox: Inbox | undefined
}

export async function createContext (
  app: FastifyInstance,
  {
    settings, db, path, name, inbox, clock = () => new Date(), hashCost, providerTimeoutMs = 5000,
    transport = settings.mail.transport, printMail: print, sendsOnFlushOnly: isManual = false
  }: ContextOptions
): Promise<Context> {
  const { password, site, cookies, csrf, urls } = settings
  const userRecords = createUserRecords(settings)
  const accessTokens = await accessTokensOf(app, settings, path)
  const tokenTransport = transportOf(settings, csrf && createCsrfCheck(app, settings, csrf), clock)
  const links = createLinks(settings, path, () => settings.publicUrl ?? listenedOn(app.server))
  const events = createEvents({ settings, clock, log: app.log, toPk: userRecords.toEventPk })
  const { mailRetentionSeconds, ...mail } =
    await createMail({ settings, path, db, clock, log: app.log, userRecords, links, inbox, transport, print, isManual })
  const { outbox } = mail
  const trustedDevices = createTrustedDevices(settings.secrets, clock)
  const sessions = createSessions({
    settings, accessTokens, clock, path, tokenTransport, trustedDevices, userRecords, events, outbox
  })
  const siteOf = () => resolveSite(site, links.publicUrl())
  return {
    settings,
    contract: contractOf(settings, name),
    db,
    clock,
    userRecords,
    passwords: createPasswords(password, hashCost ?? password.hash, {
      site: siteOf, readHashes: () => samplePasswordHashes(db)
    }),
    events,
    limits: await createLimits(app, { settings, db, clock, events }),
    lockout: createLockout({ db, clock, events, outbox, max: settings.limits.lockout }),
    trustedDevices,
    sessions,
    accessTokens,
    tokenTransport,
    ...createAuthenticate({ db, clock, accessTokens, sessions, tokenTransport, userRecords, cookies }),
    links,
    ...mail,
    sweeper: createSweeper({ settings, db, clock, log: app.log, mailRetentionSeconds }),
    social: await createSocial(app, { settings, db, clock, userRecords, events, links, outbox, providerTimeoutMs }),
    pageFrame: () => ({ siteName: siteOf().name, loginUrl: urls.login })
  }
}

/** Undefined with `tokens.format: 'opaque'`. */
async function accessTokensOf (app: FastifyInstance, { tokens, signing, publicUrl }: Settings, path: string) {
  if (tokens.format === 'opaque') return undefined
  const { createAccessTokens } = await import('./session/access-tokens.js')
  const issuer = publicUrl ?? 'http://localhost'
  return await createAccessTokens(app, { ...signing, issuer, audience: `${issuer}${path}` })
}

function transportOf (
  { cookies, publicUrl, tokens }: Settings,
  csrfCheck: CheckCsrf | undefined,
  clock: () => Date
): TokenTransport {
  const header = createAuthorizationHeader(tokens)
  return cookies
    ? createCookieTransport({ header, cookies, csrfCheck, publicUrl, clock })
    : createBodyTransport(header)
}
