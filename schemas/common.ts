/**
 * The vocabulary that the features share: the shapes of answers, and `route()`, which turns a feature's
 * description of itself (body, answers, failures) into what Fastify validates, serialises and documents.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { contractFieldCodes, errors, type AnswerCode, type FieldCode } from './errors.js'

/** What decides the contract's shape: the part of the settings that a client can see. */
export interface ContractShape {
  /** Put before component and operation names; empty for the first registration of the plugin in an app. */
  name: string
  errors: 'problem' | 'drf'
}

export const Detail = Type.Object(
  { detail: Type.String({ examples: ['Successfully logged out.'] }) },
  { description: 'A sentence for people.' }
)

/** A password as it arrives: taken exactly as sent, never trimmed; the length is counted in code points. */
export const Password = (description: string) => Type.String({
  format: 'password', minLength: 1, maxLength: 256, description, examples: ['Sup3r-secret-pw']
})

export const Email = Type.String({
  format: 'email', minLength: 1, maxLength: 254, description: 'Compared without regard to case.', examples: ['alice@example.com']
})

/** A string limited to `values`, as a clean `enum` in OpenAPI and a union of literals in TypeScript. */
export const OneOf = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>(Type.String({ enum: values, ...(description && { description }) }))

const problem = (codes: readonly AnswerCode[], fields: readonly FieldCode[]) => Type.Object({
  type: Type.String({ format: 'uri-reference', description: 'Address of the code\'s explanation.' }),
  title: Type.String({ description: 'The status in words.' }),
  status: Type.Integer({ description: 'The status of the answer.' }),
  code: OneOf(codes, 'What went wrong, for programs. Stable.'),
  detail: Type.String({ description: 'What went wrong, for people.' }),
  ...(fields.length > 0 && {
    errors: Type.Optional(Type.Array(Type.Object({
      field: Type.String({ description: 'Name of the field at fault.' }),
      code: OneOf(fields, 'What is wrong with the field, for programs. Stable.'),
      message: Type.String({ description: 'What is wrong with the field, for people.' })
    }), { description: 'Every field at fault, in the order of the request schema.' }))
  })
}, { description: 'RFC 9457 problem details.' })

const messages = Type.Array(Type.String())
const drfDetail = Type.Object({ detail: Type.String(), code: Type.Optional(Type.String()), messages: Type.Optional(Type.Array(Type.Record(Type.String(), Type.String()))) })
const drfFields = Type.Record(Type.String(), messages, { description: 'Messages per field; `non_field_errors` for the whole.' })

function failureAnswer (shape: ContractShape, codes: readonly AnswerCode[], fields: readonly FieldCode[]) {
  const description = codes.map(code => `\`${code}\``).join(', ')
  if (shape.errors === 'problem') return { description, content: { 'application/problem+json': { schema: problem(codes, fields) } } }
  const detailed = codes.some(code => errors[code][2] === 'detail')
  const listed = codes.some(code => errors[code][2] !== 'detail')
  const schema = detailed && listed ? Type.Union([drfDetail, drfFields]) : detailed ? drfDetail : drfFields
  return { description, content: { 'application/json': { schema } } }
}

/** The failures of a route, one answer a status, each with the codes it may carry. */
export function failures (shape: ContractShape, codes: readonly AnswerCode[], fields: readonly FieldCode[]) {
  const statuses = [...new Set(codes.map(code => errors[code][0]))].sort((a, b) => a - b)
  return Object.fromEntries(statuses.map(status => [
    status,
    failureAnswer(shape, codes.filter(code => errors[code][0] === status), status === 400 ? fields : [])
  ]))
}

export interface RouteDescription<Body extends TSchema, Answer extends TSchema, Status extends number = 200> {
  operationId: string
  summary: string
  description?: string
  tag: string
  body?: Body
  /** Whether the route wants a bearer token. */
  authenticated?: boolean
  status?: Status
  answer: Answer
  errors?: readonly AnswerCode[]
  fields?: readonly FieldCode[]
}

const everyRoute = ['bad_request', 'internal_error', 'service_unavailable'] as const
const bodyRoute = ['validation_error', 'not_an_object', 'malformed_body', 'body_too_large', 'unsupported_media_type'] as const
const authenticatedRoute = ['not_authenticated', 'bad_authorization_header', 'token_not_valid', 'token_expired', 'user_not_found', 'user_inactive'] as const

/** A feature's route as Fastify wants it; the type keeps body and answer, so that handlers are checked. */
export function route<Body extends TSchema, Answer extends TSchema, Status extends number = 200> (shape: ContractShape, description: RouteDescription<Body, Answer, Status>) {
  const { operationId, tag, authenticated = false, status = 200, answer, body } = description
  const codes = [
    ...(body ? bodyRoute : []), ...everyRoute, ...(authenticated ? authenticatedRoute : []), ...(description.errors ?? [])
  ]
  const fields = body ? [...contractFieldCodes, ...(description.fields ?? [])] : []
  const schema = {
    operationId: shape.name ? shape.name + operationId[0]?.toUpperCase() + operationId.slice(1) : operationId,
    summary: description.summary,
    ...(description.description && { description: description.description }),
    tags: [tag],
    security: authenticated ? [{ bearer: [] }] : [],
    ...(body && { body }),
    response: { [status]: answer, ...failures(shape, codes, fields) }
  }
  // The declared failures are for documents and tests; to the compiler only the body and the good answer matter.
  return schema as typeof schema & { body: Body, response: Record<Status, Answer> }
}

export type Body<Route extends { body: TSchema }> = Static<Route['body']>

/** For a host that registers @fastify/swagger itself: what our routes' `security` refers to. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The `access` token that login and registration answer with.' }
} as const
