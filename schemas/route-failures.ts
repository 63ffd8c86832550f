/** What can go wrong at a route: the codes that many routes have in common. */
import type { TSchema } from '@sinclair/typebox'
import type { AnswerCode, FieldCode } from './errors.js'

export interface RouteFailures {
  operationId: string
  codes: readonly AnswerCode[]
  /** The codes that are possible in `errors` of 400 `validation_error`. */
  fieldCodes?: readonly FieldCode[]
  body?: TSchema | undefined
  /** Fills the placeholders in the messages of the examples. */
  samples?: Record<string, string> | undefined
}

export const everyRoute = ['bad_request', 'internal_error', 'service_unavailable'] as const

export const bodyRoute = [
  'validation_error', 'not_an_object', 'malformed_body', 'body_too_large', 'unsupported_media_type'
] as const
/** What can be wrong with a body that the route does not need. */
export const unwantedBody = [
  'malformed_body',
  'body_too_large',
  'unsupported_media_type'
] as const satisfies readonly AnswerCode[]
export const authenticatedRoute = [
  'not_authenticated', 'bad_authorization_header', 'token_not_valid', 'token_expired', 'user_not_found',
  'user_inactive'
] as const
