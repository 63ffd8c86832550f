/** What `app.authenticate` takes, on the app's own routes. */
import { Type, type Static } from '@sinclair/typebox'

export const Authentication = Type.Object({
  /** Whoever sends no token is let in, as nobody. */
  optional: Type.Optional(Type.Boolean()),
  /** The token's word is taken, without a look at its session. */
  stateless: Type.Optional(Type.Boolean()),
  /** Seconds since the password was last given; a session lives 30 days at most. */
  maxAge: Type.Optional(Type.Integer({ minimum: 1, maximum: 2592000 }))
}, { additionalProperties: false })
export type CheckedAuthentication = Static<typeof Authentication>
