/** A provider: data, and a function that returns the profile of the user; see docs/own-provider.md. */

export interface Endpoints {
  /** Where the browser is sent (RFC 6749 §3.1). */
  authorization: string
  /** Where a code is exchanged (RFC 6749 §3.2). */
  token: string
  /** The keys of ID tokens (RFC 7517). If set, every login must include an ID token, which is verified. */
  jwks?: string
  /** Returns the user of an access token: for `profile`. */
  userinfo?: string
  /** Returns the client of an access token: for `isOurs`. */
  tokeninfo?: string
}

/** The claims of a verified ID token (OpenID Connect Core §2). */
export interface IdClaims {
  iss: string
  sub: string
  [claim: string]: unknown
}

/** What the provider has granted: the input of `profile` and `isOurs`. */
export interface Grant {
  /** Of the ID token, after its signature, issuer, audience, nonce and times were verified. Undefined without one. */
  claims: IdClaims | undefined
  /** Undefined if the client posted an ID token. */
  accessToken: string | undefined
  /** Other parameters of the redirect: `user`, in which Apple sends the name of a new user, once. */
  extras: Readonly<Record<string, unknown>>
  endpoints: Endpoints
  /**
   * Requests a JSON object or array with the access token, within the deadline of the login. Throws for a status other
   * than 200, a redirect, a response larger than 1 MiB, or one that is not JSON. The error has the status of the
   * response as `providerStatus`.
   */
  get: (url: string, headers?: Record<string, string>) => Promise<unknown>
  /** Posts JSON, without the access token; otherwise like `get`. */
  post: (url: string, body: object, headers?: Record<string, string>) => Promise<unknown>
}

/** The user who logged in, as the provider describes them. */
export interface Profile {
  /** The provider's permanent user ID: never an address, a username or anything else that can be reassigned. */
  subject: string
  /** Default: the provider's `issuer`. */
  issuer?: string
  email?: string | null | undefined
  /** Whether the provider has verified that the user owns the address. Only `true` counts. */
  emailVerified?: boolean
  /**
   * Suggested values for user fields, by name (`first_name`). Invalid values are ignored, and so are fields that the
   * app does not declare or users may not set.
   */
  fields?: Readonly<Record<string, unknown>>
}

export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

export interface Provider {
  /** Shown to users: “Continue with …”. */
  label: string
  /**
   * Issuer of the identities. Issuer and subject identify a user permanently; the `iss` of the redirect (RFC 9207) and
   * of the ID token must equal it.
   */
  issuer: string
  /** Default: from the issuer's metadata (OpenID Connect Discovery 1.0). */
  endpoints?: Endpoints
  /** Requested scopes; the option `scopes` replaces them. */
  scopes: readonly string[]
  /** Additional parameters of the authorization request. */
  parameters?: Readonly<Record<string, string>>
  /** Whether redirects always have `iss` (RFC 9207) and one without is rejected. Default: from the metadata, if any. */
  sendsIssuer?: boolean
  /** `false` only if the provider rejects a `code_verifier`. Default `true`: PKCE with S256 (RFC 7636). */
  pkce?: boolean
  /** `false` only if ID tokens omit the nonce: then none is sent. Default `true`. */
  sendsNonce?: boolean
  /** Whether the provider redirects to the callback with a fragment, which browsers would add to the app's page. */
  addsFragment?: boolean
  /** How the client sends its secret to the token endpoint (RFC 6749 §2.3.1). Default: from the metadata, or `body`. */
  clientAuthentication?: 'body' | 'header'
  /**
   * Accepts an `iss` other than `issuer`: every Microsoft tenant has its own. `claims` are those of the ID token, or
   * undefined for the `iss` of a redirect.
   */
  acceptsIssuer?: (iss: string, claims: IdClaims | undefined) => boolean
  /** Returns the user who logged in. Throw an Error for a response that makes no sense: its message is logged. */
  profile: (grant: Grant, client: ClientCredentials) => Profile | Promise<Profile>
  /** Whether an access token was issued to this client and to no other app. Required to accept posted access tokens. */
  isOurs?: (grant: Grant, client: ClientCredentials) => Promise<boolean>
  /** Whether the provider runs the mailbox of this address: then it is trusted without the option `trustEmail`. */
  ownsMailbox?: (email: string, claims: IdClaims | undefined) => boolean
}

/** Lets the compiler check a host's own provider. */
export const defineProvider = (provider: Provider): Provider => provider
