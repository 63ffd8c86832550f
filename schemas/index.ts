/**
 * The contract, without any server code: `createContract(shape)` gives the schemas of every route.
 * Published as `fastify-rest-auth/schemas`, for browsers and tests.
 */
import { failureComponents } from './failures.js'
import { loginRoutes, type LoginShape } from './login.js'
import { logoutRoutes } from './logout.js'
import { passwordChangeRoutes, type PasswordChangeShape } from './password-change.js'
import { programmaticBodies, registrationRoutes } from './registration.js'
import { Tokens } from './tokens.js'
import { userAnswer, userRoutes, type AccountShape } from './user.js'

export type Shape = AccountShape & LoginShape & PasswordChangeShape

export const createContract = (shape: Shape) => ({
  ...registrationRoutes(shape),
  ...loginRoutes(shape),
  ...logoutRoutes(shape),
  ...userRoutes(shape),
  ...passwordChangeRoutes(shape),
  programmatic: programmaticBodies(shape),
  /** The components that the routes refer to, for `addSchema`. */
  components: [userAnswer(shape), Tokens(shape), ...failureComponents(shape)]
})
export type Contract = ReturnType<typeof createContract>

export * from './common.js'
export * from './errors.js'
export * from './route.js'
export * from './user-fields.js'
export { Tokens }
export type { AccountShape, LoginShape, PasswordChangeShape }
