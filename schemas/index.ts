/**
 * The contract, without any server code: `createContract(shape)` returns the schemas of every route.
 * Published as `fastify-rest-auth/schemas`, for browsers and tests.
 */
import { componentName, Detail } from './common.js'
import { emailVerificationRoutes, type EmailVerificationShape } from './email-verification.js'
import { failureComponents } from './error-responses.js'
import { AuthEvent, eventRoutes } from './event-list.js'
import { jwksRoutes } from './jwks.js'
import { loginRoutes, type LoginShape } from './login.js'
import { logoutRoutes } from './logout.js'
import { passwordChangeRoutes, type PasswordChangeShape } from './password-change.js'
import { passwordResetRoutes } from './password-reset.js'
import { reauthenticateRoutes } from './reauthenticate.js'
import { programmaticBodies } from './programmatic.js'
import { registrationRoutes } from './registration.js'
import { Session, sessionRoutes } from './sessions.js'
import type { ProviderShape, SocialShape } from './social-login.js'
import { socialComponents, socialRoutes } from './social.js'
import { tokenComponents } from './token-pair.js'
import { tokenRoutes } from './token.js'
import { userAnswer, userRoutes, type AccountShape } from './user.js'

export type Shape = AccountShape & LoginShape & PasswordChangeShape & EmailVerificationShape & SocialShape

export const createContract = (shape: Shape) => {
  const user = userAnswer(shape)
  return {
    /** The user as clients see them. */
    user,
    ...registrationRoutes(shape),
    ...emailVerificationRoutes(shape),
    ...loginRoutes(shape),
    ...logoutRoutes(shape),
    ...tokenRoutes(shape),
    ...sessionRoutes(shape),
    ...eventRoutes(shape),
    ...jwksRoutes(shape),
    ...reauthenticateRoutes(shape),
    ...userRoutes(shape),
    ...passwordChangeRoutes(shape),
    ...passwordResetRoutes(shape),
    ...socialRoutes(shape),
    programmatic: programmaticBodies(shape),
    /** The name of the component that describes a user. */
    userComponent: componentName(shape, 'AuthUser'),
    /** The components that the routes refer to, for `addSchema`. */
    components: [
      user,
      Detail(shape),
      ...tokenComponents(shape),
      Session(shape),
      ...(shape.audit ? [AuthEvent(shape)] : []),
      ...socialComponents(shape),
      ...failureComponents(shape)
    ]
  }
}
export type Contract = ReturnType<typeof createContract>

export * from './columnless-fields.js'
export * from './common.js'
export * from './errors.js'
export * from './events.js'
export * from './missing-fields.js'
export * from './route.js'
export * from './user-fields.js'
export type { AccountShape, EmailVerificationShape, LoginShape, PasswordChangeShape, ProviderShape, SocialShape }
