/** What the features of social login use, made once: the providers, and what is under way with them. */
import type { FastifyInstance } from 'fastify'
import type { ProviderShape } from '../../schemas/index.js'
import type { UserRecords } from '../account/user-records.js'
import type { Database } from '../db/database.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Outbox } from '../mail/outbox.js'
import { ProviderError } from '../oauth/provider-error.js'
import type { SocialClient } from '../oauth/types.js'
import type { Links } from '../settings/links.js'
import type { Settings } from '../settings/types.js'
import { createBrowserBinding } from './browser-binding.js'
import { createCredentialsVerifier } from './credentials.js'
import { createLoginTransactions } from './login-transactions.js'
import { createProviderTokens } from './provider-tokens.js'
import { createReturnUrl } from './return-url.js'
import { createSignIn } from './sign-in.js'

interface SocialOptions {
  settings: Settings
  db: Database
  clock: () => Date
  userRecords: UserRecords
  links: Links
  outbox: Outbox
  /** Milliseconds that a provider may take, in all, for one login. */
  providerTimeoutMs: number
}

/** Undefined where no provider is configured. Throws where a provider's metadata is not its own. */
export async function createSocial (app: FastifyInstance, { settings, db, clock, userRecords, links, outbox, providerTimeoutMs }: SocialOptions) {
  if (settings.social.length === 0) return undefined
  const { createSocialClient } = await import('../oauth/client.js')
  const clients = settings.social.map(provider =>
    createSocialClient(provider, { clock, log: app.log, timeoutMs: providerTimeoutMs })
  )
  await Promise.all(clients.map(checkMetadata))
  const [secret = ''] = settings.secrets
  const transactions = createLoginTransactions({
    db,
    clock,
    path: links.path,
    secret,
    binding: createBrowserBinding(settings)
  })
  const redirectUri = ({ settings: { name, callbackUrl } }: SocialClient) =>
    callbackUrl ?? `${links.publicUrl()}${links.path}/${name}/callback`
  return {
    clients,
    transactions,
    redirectUri,
    verifyCredentials: createCredentialsVerifier({ redirectUri, transactions }),
    returnUrl: createReturnUrl(settings, links.publicUrl),
    identities: createSignIn({
      settings,
      db,
      clock,
      userRecords,
      outbox,
      providerTokens: createProviderTokens(settings.secrets)
    })
  }
}

/** Whoever is not who the option says is refused at once; whoever does not answer now may later. */
async function checkMetadata ({ settings: { name }, discover }: SocialClient): Promise<void> {
  try {
    await discover()
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'provider_error') { refuseOption(`social.${name}.issuer: ${error.reason}`) }
  }
}

/** What the contract says of a provider. */
export const shapeOf = ({ settings: { name, label }, accepts, postsBack }: SocialClient): ProviderShape => ({
  name,
  label,
  takes: accepts,
  postsBack
})

export type Social = NonNullable<Awaited<ReturnType<typeof createSocial>>>
