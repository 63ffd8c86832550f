/** What a client posts of a provider (a code, an ID token, an access token) becomes an identity. */
import type { Static } from '@sinclair/typebox'
import type { GrantFields } from '../../schemas/social-login.js'
import type { Db } from '../db/database.js'
import { failure } from '../errors/failure.js'
import type { Identity, SocialClient } from '../oauth/types.js'
import type { SocialTransactions } from './login-transactions.js'

export type GrantBody = Static<GrantFields>

export interface Grant {
  identity: Identity
  /** To be called in the transaction that uses the identity: throws where what was posted was used before. */
  spend: (tx: Db) => Promise<void>
}

interface Ingredients {
  redirectUri: (client: SocialClient) => string
  transactions: SocialTransactions
}

// A provider takes a code once, and an access token is good as often as it likes.
const unlimited = async () => {}

export function createGrants ({ redirectUri, transactions }: Ingredients) {
  /** Of several that are sent, the one that proves most counts. */
  return async function readGrant (client: SocialClient, body: GrantBody): Promise<Grant> {
    const { code, code_verifier: verifier, redirect_uri: uri, id_token: idToken, nonce, access_token: accessToken } = body
    if (code) {
      const identity = await client.byCode({ code, verifier: verifier || undefined, redirectUri: uri || redirectUri(client), nonce: nonce || undefined })
      return { identity, spend: unlimited }
    }
    if (idToken && client.takes.idToken) {
      const { identity, expiresAt } = await client.byIdToken(idToken, nonce || undefined)
      return {
        identity,
        spend: async tx => {
          if (!await transactions.noteIdToken(tx, client.settings.name, idToken, expiresAt)) throw failure('provider_token_invalid')
        }
      }
    }
    if (accessToken && client.takes.accessToken) return { identity: await client.byAccessToken(accessToken), spend: unlimited }
    throw failure('provider_credentials_required')
  }
}
