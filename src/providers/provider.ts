/**
 * What a provider of identities is: data, and one function that says who has logged in there. The built-in ones, one
 * a file beside this, are made of nothing else; docs/own-provider.md makes one in thirty lines.
 */

/** Addresses at the provider. */
export interface Endpoints {
  /** Where the browser is sent (RFC 6749 §3.1). */
  authorization: string
  /** Where a code is exchanged (RFC 6749 §3.2). */
  token: string
  /** The keys of ID tokens (RFC 7517). With them every login must come with an ID token, which is verified. */
  jwks?: string
  /** Who the access token is for: asked by `profile`. */
  userinfo?: string
  /** Whom an access token was issued to: asked by `isOurs`. */
  tokeninfo?: string
}

/** The claims of a verified ID token (OpenID Connect Core §2). */
export interface IdClaims {
  iss: string
  sub: string
  [claim: string]: unknown
}

/** What a provider has granted, for `profile` to make a person of. */
export interface Grant {
  /** Of the ID token, verified: signature, issuer, audience, nonce, time. Absent where the provider has none. */
  claims: IdClaims | undefined
  /** Absent where the client sent nothing but an ID token. */
  accessToken: string | undefined
  /** What the redirect brought beside the code: Apple posts the name of a new user, once. */
  extras: Readonly<Record<string, unknown>>
  endpoints: Endpoints
  /**
   * Asks the provider, with the access token, for a JSON object or array, within the time that the login has. Throws for any
   * status but 200, for a redirect, for more than 1 MiB and for what is no JSON.
   */
  get: (url: string, headers?: Record<string, string>) => Promise<unknown>
  /** Sends JSON, without the access token; else like `get`. */
  post: (url: string, body: object, headers?: Record<string, string>) => Promise<unknown>
}

/** Who has logged in, in the provider's words. */
export interface Profile {
  /** The provider's own, unchangeable name of the person: never an address, a user name or anything that can be re-assigned. */
  subject: string
  /** Default: the provider's `issuer`. */
  issuer?: string
  email?: string | null | undefined
  /** Whether the provider says that the person reads the mail of that address. Nothing but `true` counts. */
  emailVerified?: boolean
  /** Suggestions for user fields of these names (`first_name`); what the app does not declare, what its users may not give, or what does not fit is left out. */
  fields?: Readonly<Record<string, unknown>>
}

export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

export interface Provider {
  /** What people call it: the button says “Continue with …”. */
  label: string
  /**
   * Who vouches for the identities. With the subject it names a person for ever; the redirect's `iss` (RFC 9207) and the ID
   * token's must equal it.
   */
  issuer: string
  /** Default: read from the metadata of the issuer (OpenID Connect Discovery 1.0). */
  endpoints?: Endpoints
  /** Asked for unless the option `scopes` says otherwise. */
  scopes: readonly string[]
  /** More parameters for the authorization request. */
  parameters?: Readonly<Record<string, string>>
  /** Whether the redirect always tells `iss` (RFC 9207): then one without is refused. Read from the metadata where there is one. */
  sendsIssuer?: boolean
  /** `false` only where the provider refuses a `code_verifier`. Default `true`: PKCE with S256 (RFC 7636). */
  pkce?: boolean
  /** `false` only where ID tokens come without the nonce that was sent: then none is asked for. Default `true`. */
  sendsNonce?: boolean
  /** How the client shows its secret at the token endpoint (RFC 6749 §2.3.1). Default: as the metadata says, else `body`. */
  clientAuthentication?: 'body' | 'header'
  /** Whether an `iss` that is not the `issuer` is all the same: of Microsoft every tenant has its own. No claims: that of a redirect. */
  acceptsIssuer?: (iss: string, claims: IdClaims | undefined) => boolean
  /** Who has logged in. Throws an Error where the answers make no sense; its message is logged. */
  profile: (grant: Grant, client: ClientCredentials) => Profile | Promise<Profile>
  /** Whether an access token was issued to this client (and no other app): without it none may be posted. */
  isOurs?: (grant: Grant, client: ClientCredentials) => Promise<boolean>
  /** Whether the provider runs the mailbox of this address, so that `trustEmail` need not say it. */
  ownsMailbox?: (email: string, claims: IdClaims | undefined) => boolean
}

/** For hosts: a provider of one's own, checked by the compiler. */
export const defineProvider = (provider: Provider): Provider => provider
