/** What a login or a registration answers with: a short-lived access token, a refresh token, and the user. */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { UserRef } from './user.js'

const expiration = (what: string) => Type.String({ format: 'date-time', description: `When the ${what} token expires, UTC.`, examples: ['2026-11-23T18:59:49.244Z'] })

export const Tokens = (shape: ContractShape) => Type.Object({
  access: Type.String({ description: 'JWT (RFC 9068) for the Authorization header, as `Bearer …`.' }),
  refresh: Type.String({ description: 'Opaque, 256 bit. Keep it secret; send it to `logout` to end its session.' }),
  access_expiration: expiration('access'),
  refresh_expiration: expiration('refresh'),
  user: UserRef(shape)
})
