/** The options of `app.authenticate`, for the app's own routes. */
import { Type, type Static } from '@sinclair/typebox'
import { Group } from './builders.js'

export const Authentication = Group({
  /** Also accepts requests without a token; `request.user` is then null. */
  optional: Type.Boolean(),
  /** Trusts the token's signature and claims, without looking up its session. */
  stateless: Type.Boolean(),
  /** Seconds since the last authentication; a session lives 400 days at most. */
  maxAge: Type.Integer({ minimum: 1, maximum: 34560000 })
})
export type CheckedAuthentication = Static<typeof Authentication>
