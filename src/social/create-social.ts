/** Creates what the social login features share: the clients of the configured providers, and the steps of a login. */
import type { FastifyInstance } from 'fastify'
import type { ProviderShape } from '../../schemas/index.js'
import type { UserRecords } from '../account/user-records.js'
import type { Database } from '../db/database.js'
import type { Events } from '../events/create-events.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Outbox } from '../mail/outbox.js'
import { ProviderError } from '../oauth/provider-error.js'
import type { SocialClient } from '../oauth/types.js'
import type { Links } from '../settings/links.js'
import { popupRedirectUri } from '../settings/social.js'
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
  events: Events
  links: Links
  outbox: Outbox
  /** For all requests to a provider during one login. */
  providerTimeoutMs: number
}

/** Undefined if no provider is configured. Throws an option error if a provider's metadata is invalid. */
export async function createSocial (
  app: FastifyInstance,
  { settings, db, clock, userRecords, events, links, outbox, providerTimeoutMs }: SocialOptions
) {
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
  const providerTokens = createProviderTokens(settings.secrets)
  const { signIn, link } = createSignIn({ settings, db, clock, userRecords, events, outbox, providerTokens })
  const routeUrl = (name: string) => `${links.publicUrl()}${links.path}/${name}`

  function redirectUri ({ settings: { name, callbackUrl } }: SocialClient): string {
    return callbackUrl === undefined || callbackUrl === popupRedirectUri ? `${routeUrl(name)}/callback` : callbackUrl
  }

  function startUrl ({ settings: { name } }: SocialClient, next?: string): string {
    const { pathname } = new URL(`${routeUrl(name)}/login`)
    return next === undefined ? pathname : `${pathname}?${new URLSearchParams({ next })}`
  }

  return {
    clients,
    transactions,
    signIn,
    link,
    redirectUri,
    startUrl,
    verifyCredentials: createCredentialsVerifier({
      redirectUri: client => client.settings.callbackUrl ?? redirectUri(client),
      transactions
    }),
    returnUrl: createReturnUrl(settings, links.publicUrl)
  }
}

/** Fails at start if the metadata is invalid or names another issuer; an unreachable provider may come back later. */
async function checkMetadata ({ settings: { name }, discover }: SocialClient): Promise<void> {
  try {
    await discover()
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'provider_error') {
      refuseOption(`social.${name}.issuer: ${error.reason}`)
    }
  }
}

export const toProviderShape = ({ settings: { name, label }, accepts, postsBack }: SocialClient): ProviderShape => ({
  name,
  label,
  takes: accepts,
  postsBack
})

export type Social = NonNullable<Awaited<ReturnType<typeof createSocial>>>
