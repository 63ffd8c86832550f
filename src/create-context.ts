/** What the features may use, built from the settings. */
import type { FastifyInstance } from 'fastify'
import { createContract } from '../schemas/index.js'
import { createAccessTokens } from './session/access-tokens.js'
import { createAccounts } from './account/user-records.js'
import { createAuthenticate } from './session/authenticate.js'
import type { Context } from './context.js'
import { createCsrfCheck } from './http/csrf.js'
import type { Database } from './db/database.js'
import type { HashCost } from './lib/password-hash.js'
import { createLinks, listenedOn } from './settings/links.js'
import { siteOf } from './mail/composer.js'
import { createMail } from './mail/create-mail.js'
import type { Inbox } from './mail/inbox.js'
import { createPasswords } from './account/passwords.js'
import { createSessions } from './session/sessions.js'
import type { Settings } from './settings/types.js'
import { createSocial } from './social/create-social.js'
import { createTransport } from './session/token-transport.js'

interface Ingredients {
  settings: Settings
  db: Database
  clock: () => Date
  hashCost: HashCost | undefined
  /** Of our routes, the host's prefix included. */
  path: string
  /** Before the names of components and operations. */
  name: string
  inbox: Inbox | undefined
  /** Milliseconds that a provider may take for one login. */
  patience: number | undefined
}

export async function createContext (app: FastifyInstance, { settings, db, clock, hashCost, path, name, inbox, patience = 5000 }: Ingredients): Promise<Context> {
  const { account, fields, errors, hooks, password, signing, site, tokens, cookies, csrf, urls } = settings
  const issuer = settings.publicUrl ?? 'http://localhost'
  const accounts = createAccounts(settings)
  const accessTokens = await createAccessTokens(app, { ...signing, issuer, audience: `${issuer}${path}` })
  const transport = createTransport(cookies, csrf && createCsrfCheck(app, settings, csrf), clock)
  const links = createLinks(settings, path, () => settings.publicUrl ?? listenedOn(app.server))
  const mail = await createMail({ settings, path, db, clock, log: app.log, toUser: accounts.toUser, links, inbox })
  return {
    settings,
    contract: createContract({ ...account, fields, errors, requireOldPassword: password.requireOld, cookie: cookies?.access, csrf: csrf !== undefined, name, social: settings.social.length > 0 }),
    db,
    clock,
    accounts,
    passwords: createPasswords(password, hashCost ?? password.hash),
    sessions: createSessions({ accessTokens, tokens, hooks, clock, path, transport }),
    accessTokens,
    transport,
    ...createAuthenticate({ db, clock, accessTokens, transport, accounts, cookie: cookies?.access }),
    links,
    ...mail,
    social: await createSocial(app, { settings, db, clock, accounts, links, outbox: mail.outbox, patience }),
    pageFrame: () => ({ siteName: siteOf(site, links.publicUrl()).name, loginUrl: urls.login })
  }
}
