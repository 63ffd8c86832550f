/** What the features of social login use, made once: the providers, and what is under way with them. */
import type { FastifyInstance } from 'fastify'
import type { ProviderShape } from '../../schemas/index.js'
import type { Accounts } from '../account/user-records.js'
import { createBrowserBinding } from './browser-binding.js'
import type { Database } from '../db/database.js'
import { createDestination } from './return-url.js'
import { createGrants } from './credentials.js'
import { createIdentities } from './sign-in.js'
import type { Links } from '../settings/links.js'
import type { Outbox } from '../mail/outbox.js'
import type { SocialClient } from '../oauth/types.js'
import { ProviderProblem } from '../oauth/provider-error.js'
import { createProviderTokens } from './provider-tokens.js'
import type { Settings } from '../settings/types.js'
import { createSocialTransactions } from './login-transactions.js'
import { refuse } from '../lib/refuse-option.js'

interface Ingredients {
  settings: Settings
  db: Database
  clock: () => Date
  accounts: Accounts
  links: Links
  outbox: Outbox
  /** Milliseconds that a provider may take, in all, for one login. */
  patience: number
}

/** Undefined where no provider is configured. Throws where a provider's metadata is not its own. */
export async function createSocial (app: FastifyInstance, { settings, db, clock, accounts, links, outbox, patience }: Ingredients) {
  if (settings.social.length === 0) return undefined
  const { createSocialClient } = await import('../oauth/client.js')
  const clients = settings.social.map(provider => createSocialClient(provider, { clock, log: app.log, patience }))
  await Promise.all(clients.map(checkMetadata))
  const [secret = ''] = settings.secrets
  const transactions = createSocialTransactions({ db, clock, path: links.path, secret, binding: createBrowserBinding(settings) })
  const redirectUri = ({ settings: { name, callbackUrl } }: SocialClient) => callbackUrl ?? `${links.publicUrl()}${links.path}/${name}/callback`
  return {
    clients,
    transactions,
    redirectUri,
    readGrant: createGrants({ redirectUri, transactions }),
    destination: createDestination(settings, links.publicUrl),
    identities: createIdentities({ settings, db, clock, accounts, outbox, providerTokens: createProviderTokens(settings.secrets) })
  }
}

/** Whoever is not who the option says is refused at once; whoever does not answer now may later. */
async function checkMetadata ({ settings: { name }, discover }: SocialClient): Promise<void> {
  try {
    await discover()
  } catch (error) {
    if (error instanceof ProviderProblem && error.code === 'provider_error') refuse(`social.${name}.issuer: ${error.reason}`)
  }
}

/** What the contract says of a provider. */
export const shapeOf = ({ settings: { name, label }, takes, postsBack }: SocialClient): ProviderShape => ({ name, label, takes, postsBack })

export type Social = NonNullable<Awaited<ReturnType<typeof createSocial>>>
