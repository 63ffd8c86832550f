/**
 * A session goes on, and a token is tried:
 *
 *   POST /token/refresh   a refresh token for the next one, and a fresh access token
 *   POST /token/verify    an access or a refresh token: is it good?
 */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { route } from './route.js'
import { accessExample, refreshExample, TokenPairRef } from './token-pair.js'

export const tokenRoutes = (shape: ContractShape) => {
  const tag = 'Session'
  return {
    refreshToken: route(shape, {
      operationId: 'refreshToken',
      summary: 'Exchange a refresh token for the next one',
      description:
        'A refresh token is good once. Used again, it ends its session, but for `tokens.refreshGrace` seconds after its use, when it answers with the same next one.',
      tag,
      body: Type.Object({
        refresh: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 4096,
            description: 'The refresh token that the session is at.',
            examples: [refreshExample]
          })
        )
      }),
      answer: TokenPairRef(shape),
      answered: 'The next tokens of the session.',
      errors: ['token_not_valid', 'token_expired']
    }),
    verifyToken: route(shape, {
      operationId: 'verifyToken',
      summary: 'Ask whether a token is good',
      description:
        'Good is an access or a refresh token in time, whose session lives and whose user is active. What is wrong with another is not told.',
      tag,
      body: Type.Object({
        token: Type.String({
          minLength: 1,
          maxLength: 4096,
          description: 'An access or a refresh token.',
          examples: [accessExample]
        })
      }),
      answer: Type.Object({}),
      answered: 'The token is good.',
      errors: ['token_not_valid']
    })
  }
}
