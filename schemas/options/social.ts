/** The option `social`: the settings of each provider, by name. */
import { Type } from '@sinclair/typebox'
import { closed, Text } from './builders.js'

const AppleKey = Type.Object({
  teamId: Text("Team ID in Apple's developer account."),
  keyId: Text('ID of the key in that account.'),
  privateKey: Text('The private key: the contents of the file `AuthKey_….p8`.')
}, closed)

export const SocialProviderOptions = Type.Object({
  clientId: Text('OAuth client ID.'),
  clientSecret: Type.Union([Text(), AppleKey], {
    title: 'a string or, for apple, { teamId, keyId, privateKey }',
    description: 'OAuth client secret. For `apple`: `{ teamId, keyId, privateKey }`, from which one is signed.'
  }),
  callbackUrl: Type.Optional(Type.String({
    pattern: '^(https?://[^/?#@\\s]+(/[^?#\\s]*)?|postmessage)$',
    title: 'an address such as https://app.example/auth/google/callback, or postmessage',
    description: 'Redirect URI: where the provider sends the browser back to. Default: `publicUrl`, `prefix`, ' +
      '`/<provider>/callback`. `postmessage` is for clients that post the codes of Google\'s popup; logins by ' +
      'redirect keep the default.'
  })),
  scopes: Type.Optional(Type.Array(Text(), {
    description: "OAuth scopes to request. Default: those for the user's identity and e-mail address."
  })),
  trustEmail: Type.Optional(Type.Union([Type.Boolean(), Type.Array(Text())], {
    title: 'true, false or a list of domains',
    description: 'Whether an address counts as proven when the provider reports it as verified: `true`, `false`, or ' +
      'a list of domains. Default: only for mailboxes that the provider runs.'
  })),
  accessToken: Type.Optional(Type.Boolean({
    default: false,
    description: 'Let clients post an access token of the provider. Only for providers that tell which app a token ' +
      'was issued to.'
  })),
  audiences: Type.Optional(Type.Array(Text(), {
    description: "Your other client IDs whose ID tokens are accepted, such as an iOS app's bundle ID."
  })),
  storeTokens: Type.Optional(Type.Boolean({
    default: false,
    description: "Store the provider's tokens, encrypted, for `app.restAuth.socialAccounts.tokens()`."
  })),
  issuer: Type.Optional(Type.String({
    pattern: '^https?://[^?#\\s]+$',
    title: 'an address such as https://login.example',
    description: 'Issuer of any OpenID provider, where its metadata is found. You choose `<name>`.'
  })),
  provider: Type.Optional(Type.Object({}, {
    title: 'a provider, see docs/own-provider.md',
    description: 'A provider that you define yourself: see docs/own-provider.md.'
  })),
  label: Type.Optional(Type.String({
    minLength: 1, maxLength: 50, description: 'Display name of the provider.'
  }))
}, closed)

/** The name of a provider is also a part of its routes: `/auth/google`. */
export const SocialOptions = Type.Record(Type.String(), SocialProviderOptions, {
  description: 'Providers for social login, by name: see docs/social.md.'
})
