/** The routes of social login: those of each configured provider, and those of the connected accounts. */
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
