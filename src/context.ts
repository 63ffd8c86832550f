/** The dependencies that a feature may use. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault
} from 'fastify'
import type { Contract } from '../schemas/index.js'
import type { Lockout } from './account/lockout.js'
import type { Passwords } from './account/passwords.js'
import type { UserRecords } from './account/user-records.js'
import type { Database } from './db/database.js'
import type { Events } from './events/create-events.js'
import type { Limiter } from './limits/limiter.js'
import type { Sweeper } from './maintenance/sweeper.js'
import type { Outbox } from './mail/outbox.js'
import type { Templates } from './mail/templates.js'
import type { PageFrame } from './pages/card.js'
import type { RestAuth } from './rest-auth.js'
import type { AccessTokens } from './session/access-tokens.js'
import type { Authenticate } from './session/authenticate.js'
import type { Sessions } from './session/sessions.js'
import type { TrustedDevices } from './session/trusted-devices.js'
import type { TokenTransport } from './session/token-transport.js'
import type { Links } from './settings/links.js'
import type { Settings } from './settings/types.js'
import type { Social } from './social/create-social.js'

export interface Context {
  settings: Settings
  contract: Contract
  db: Database
  clock: () => Date
  userRecords: UserRecords
  passwords: Passwords
  limits: Limiter
  events: Events
  lockout: Lockout
  trustedDevices: TrustedDevices
  sessions: Sessions
  /** Undefined with `tokens.format: 'opaque'`. */
  accessTokens: AccessTokens | undefined
  tokenTransport: TokenTransport
  authenticate: Authenticate
  claims: RestAuth['claims']
  links: Links
  outbox: Outbox
  sweeper: Sweeper
  /** Undefined if no provider is configured. */
  social: Social | undefined
  templates: Templates
  /** Name and links for the HTML pages. A function, because they may depend on the address that the app listens on. */
  pageFrame: () => PageFrame
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export type Feature = (app: App, context: Context) => void
