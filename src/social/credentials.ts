/** What a client posts of a provider (a code, an ID token, an access token) becomes an identity. */
import type { Static } from '@sinclair/typebox'
import type { CredentialFields } from '../../schemas/social-login.js'
import type { Db } from '../db/database.js'
import { failure } from '../errors/failure.js'
import type { Identity, SocialClient } from '../oauth/types.js'
import type { LoginTransactions } from './login-transactions.js'

export type CredentialsBody = Static<CredentialFields>

export interface VerifiedCredentials {
  identity: Identity
  /** To be called in the transaction that uses the identity: throws where what was posted was used before. */
  consume: (tx: Db) => Promise<void>
}

interface CredentialsVerifierOptions {
  redirectUri: (client: SocialClient) => string
  transactions: LoginTransactions
}

// A provider takes a code once, and an access token is good as often as it likes.
const noop = async () => {}

export function createCredentialsVerifier ({ redirectUri, transactions }: CredentialsVerifierOptions) {
  /** Of several that are sent, the one that proves most counts. */
  return async function verifyCredentials (client: SocialClient, body: CredentialsBody): Promise<VerifiedCredentials> {
    const {
      code,
      code_verifier: verifier,
      redirect_uri: uri,
      id_token: idToken,
      nonce,
      access_token: accessToken
    } = body
    if (code) {
      const identity = await client.identityFromCode({
        code,
        verifier: verifier || undefined,
        redirectUri: uri || redirectUri(client),
        nonce: nonce || undefined
      })
      return { identity, consume: noop }
    }
    if (idToken && client.accepts.idToken) {
      const { identity, expiresAt } = await client.identityFromIdToken(idToken, nonce || undefined)
      return {
        identity,
        consume: async tx => {
          if (!(await transactions.markIdTokenUsed(tx, client.settings.name, idToken, expiresAt))) { throw failure('provider_token_invalid') }
        }
      }
    }
    if (accessToken && client.accepts.accessToken) { return { identity: await client.identityFromAccessToken(accessToken), consume: noop } }
    throw failure('provider_credentials_required')
  }
}
