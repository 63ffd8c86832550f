/**
 * Tokens of a session:
 *
 *   POST /token/refresh   exchanges a refresh token for the next one and a new access token
 *   POST /token/verify    says whether an access or refresh token is valid
 */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { route } from './route.js'
import { accessExample, refreshExample, TokenPairRef } from './token-pair.js'

const Token = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 4096, description, examples: [example] })

const refreshing = {
  rotating: {
    summary: 'Exchange a refresh token for the next one',
    description: 'A refresh token can be used once. Reusing it within `tokens.refreshGrace` seconds returns the ' +
      'same successor; reusing it later ends the session.',
    answered: 'The next tokens of the session.'
  },
  keeping: {
    summary: 'Get a new access token',
    description: 'The refresh token stays the same until its session ends.',
    answered: 'A new access token, and the refresh token with its new expiration.'
  }
}

export const tokenRoutes = (shape: ContractShape) => {
  const tag = 'Session'
  return {
    refreshToken: route(shape, {
      operationId: 'refreshToken',
      limit: 'tokenRefresh',
      ...refreshing[shape.rotates === false ? 'keeping' : 'rotating'],
      tag,
      body: Type.Object({ refresh: Type.Optional(Token('Current refresh token of the session.', refreshExample)) }),
      answer: TokenPairRef(shape),
      errors: ['token_not_valid', 'token_expired']
    }),
    verifyToken: route(shape, {
      operationId: 'verifyToken',
      limit: 'tokenVerify',
      summary: 'Check whether a token is valid',
      description: 'A token is valid if it has not expired, its session is live and its user is active. The response ' +
        'does not say what is wrong with an invalid token.',
      tag,
      body: Type.Object({ token: Token('An access token or a refresh token.', accessExample) }),
      answer: Type.Object({}),
      answered: 'The token is valid.',
      errors: ['token_not_valid']
    })
  }
}
