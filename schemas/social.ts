/** The routes of social login: those of each provider that is configured, and those of the accounts that are connected. */
import { connectRoute, SocialAccount, socialAccountRoutes } from './social-accounts.js'
import { socialLoginRoute, type ProviderShape, type SocialShape } from './social-login.js'
import { socialRedirectRoutes } from './social-redirect.js'

export const socialRoutes = (shape: SocialShape) => ({
  ...socialAccountRoutes(shape),
  social: (provider: ProviderShape) => ({
    login: socialLoginRoute(shape, provider),
    ...socialRedirectRoutes(shape, provider),
    connect: connectRoute(shape, provider)
  })
})

export const socialComponents = (shape: SocialShape) => shape.social ? [SocialAccount(shape)] : []
