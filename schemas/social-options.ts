/** The option `social`: a provider by its name, and who the app is there. */
import { Type, type Static } from '@sinclair/typebox'

const closed = { additionalProperties: false }

const AppleKey = Type.Object({
  teamId: Type.String({ minLength: 1, description: 'The team, as Apple\'s developer account names it.' }),
  keyId: Type.String({ minLength: 1, description: 'The key, as that account names it.' }),
  privateKey: Type.String({ minLength: 1, description: 'The key: what the file `AuthKey_….p8` holds.' })
}, closed)

export const SocialProviderOptions = Type.Object({
  clientId: Type.String({ minLength: 1, description: 'The app, as the provider knows it.' }),
  clientSecret: Type.Union([Type.String({ minLength: 1 }), AppleKey], {
    title: 'a string or, for apple, { teamId, keyId, privateKey }',
    description: 'What the app proves itself with. For `apple`: `{ teamId, keyId, privateKey }`, which signs one.'
  }),
  callbackUrl: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#@\\s]+(/[^?#\\s]*)?$',
      title: 'an address such as https://app.example/auth/google/callback',
      description:
        'Where the provider sends the browser back to. Default: `publicUrl`, `prefix`, `/<provider>/callback`.'
    })
  ),
  scopes: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'What the app asks for. Default: who it is, and the e-mail address.'
    })
  ),
  trustEmail: Type.Optional(
    Type.Union([Type.Boolean(), Type.Array(Type.String({ minLength: 1 }))], {
      title: 'true, false or a list of domains',
      description:
        'Whether an address counts as proven when the provider says that it is: `true`, or for these domains. Default: where the provider runs the mailbox.'
    })
  ),
  accessToken: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Whether clients may post an access token of the provider. Only where it tells whom the token was issued to.'
    })
  ),
  audiences: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: "More client ids of yours whose ID tokens are taken: an iOS app's bundle id."
    })
  ),
  storeTokens: Type.Optional(
    Type.Boolean({
      default: false,
      description: "Whether the provider's tokens are kept, encrypted, for `app.restAuth.socialAccounts.tokens()`."
    })
  ),
  issuer: Type.Optional(
    Type.String({
      pattern: '^https?://[^?#\\s]+$',
      title: 'an address such as https://login.example',
      description: 'For any OpenID provider: where its metadata is found. The name is yours to choose.'
    })
  ),
  provider: Type.Optional(
    Type.Object({}, { title: 'a provider, see docs/own-provider.md', description: 'A provider of your own.' })
  ),
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 50, description: 'What people call the provider.' }))
}, closed)

/** Providers by name, which is a part of the routes: `/auth/google`. */
export const SocialOptions = Type.Record(Type.String(), SocialProviderOptions, {
  description: 'Providers that people may log in with, by name: see docs/social.md.'
})
export type GivenSocialProvider = Static<typeof SocialProviderOptions>
