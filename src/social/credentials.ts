/** Turns the credentials that a client posts (a code, an ID token or an access token) into an identity. */
import type { Static } from '@sinclair/typebox'
import type { CredentialFields } from '../../schemas/social-login.js'
import type { Db } from '../db/database.js'
import { failure } from '../errors/failure.js'
import type { Identity, SocialClient } from '../oauth/types.js'
import type { LoginTransactions } from './login-transactions.js'

export type CredentialsBody = Static<CredentialFields>

export interface VerifiedCredentials {
  identity: Identity
  /** Call it in the transaction that uses the identity: throws `provider_token_invalid` for an ID token used before. */
  consume: (tx: Db) => Promise<void>
}

interface CredentialsVerifierOptions {
  /** The redirect URI of a code that was posted without one. */
  redirectUri: (client: SocialClient) => string
  transactions: LoginTransactions
}

// The provider accepts a code only once; an access token may be posted again.
const noop = async () => {}

export function createCredentialsVerifier ({ redirectUri, transactions }: CredentialsVerifierOptions) {
  /** Uses the strongest credentials in the body. Throws `provider_credentials_required` and what the client throws. */
  return async function verifyCredentials (client: SocialClient, body: CredentialsBody): Promise<VerifiedCredentials> {
    const { code, id_token: idToken, access_token: accessToken, nonce } = body
    if (code) {
      const identity = await client.identityFromCode({
        code: decodedOnce(code),
        verifier: body.code_verifier || undefined,
        redirectUri: body.redirect_uri || redirectUri(client),
        isPosted: true,
        nonce: nonce || undefined
      })
      return { identity, consume: noop }
    }
    if (idToken && client.accepts.idToken) return await verifyIdToken(client, idToken, nonce || undefined)
    if (accessToken && client.isOwnIdToken(accessToken)) {
      return await verifyIdToken(client, accessToken, nonce || undefined)
    }
    if (accessToken && client.accepts.accessToken) {
      return { identity: await client.identityFromAccessToken(accessToken), consume: noop }
    }
    throw failure('provider_credentials_required')
  }

  async function verifyIdToken (
    client: SocialClient,
    idToken: string,
    nonce: string | undefined
  ): Promise<VerifiedCredentials> {
    const { identity, expiresAt } = await client.identityFromIdToken(idToken, nonce)
    return {
      identity,
      consume: async tx => {
        const isFirstUse = await transactions.markIdTokenUsed(tx, client.settings.name, idToken, expiresAt)
        if (!isFirstUse) throw failure('provider_token_invalid')
      }
    }
  }
}

/** A code that was copied from an address as it stands there, such as Google's `4%2F0A…`. */
function decodedOnce (code: string): string {
  // No character but those that remain in an encoded part of a URL; others show that it was decoded before.
  if (!/^([\w.~!*'()-]|%[2-7][\dA-F])+$/i.test(code)) return code
  return decodeURIComponent(code)
}
