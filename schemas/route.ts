/**
 * `route()` turns a feature's description of a route (body, response, errors) into the schema that Fastify validates,
 * serialises and documents.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { contractCodesOf } from './contract-codes.js'
import { failures } from './error-responses.js'
import type { AnswerCode, FieldCode } from './errors.js'

export interface RouteDescription<Body extends TSchema, Answer extends TSchema, Status extends number = 200> {
  operationId: string
  summary: string
  description?: string
  tag: string
  body?: Body
  /** Whether the route changes something. Default: if it has a body. */
  unsafe?: boolean
  /** Whether the route requires an access token; `optional`: uses one that is sent. */
  authenticated?: boolean | 'optional'
  status?: Status
  /** `Type.Null()` for a response without a body. */
  answer: Answer
  /** What a successful response means, in a sentence. */
  answered: string
  errors?: readonly AnswerCode[]
  fields?: readonly FieldCode[]
}

const everyRoute = ['bad_request', 'internal_error', 'service_unavailable'] as const
const bodyRoute = [
  'validation_error', 'not_an_object', 'malformed_body', 'body_too_large', 'unsupported_media_type'
] as const
/** What can be wrong with a body that the route does not need. */
export const unwantedBody = [
  'malformed_body',
  'body_too_large',
  'unsupported_media_type'
] as const satisfies readonly AnswerCode[]
const authenticatedRoute = [
  'not_authenticated', 'bad_authorization_header', 'token_not_valid', 'token_expired', 'user_not_found',
  'user_inactive'
] as const

/** The schema of a route for Fastify; its type keeps body and response, so that handlers are checked. */
export function route<Body extends TSchema, Answer extends TSchema, Status extends number = 200> (
  shape: ContractShape,
  description: RouteDescription<Body, Answer, Status>
) {
  const {
    operationId,
    tag,
    authenticated = false,
    status = 200,
    answer,
    body,
    unsafe = body !== undefined
  } = description
  const codes = [
    ...(body ? bodyRoute : []), ...everyRoute, ...(authenticated === true ? authenticatedRoute : []),
    ...(unsafe && shape.csrf ? ['csrf_failed'] as const : []), ...(description.errors ?? [])
  ]
  const fields = body ? [...contractCodesOf(body), ...(description.fields ?? [])] : []
  const schema = {
    operationId: operationIdOf(shape, operationId),
    summary: description.summary,
    ...(description.description && { description: description.description }),
    tags: [tag],
    security: authenticated ? [...credentials(shape), ...(authenticated === 'optional' ? [{}] : [])] : [],
    ...(body && { body }),
    response: {
      [status]: {
        description: description.answered,
        ...(answer.type === 'null' ? answer : { content: { 'application/json': { schema: answer } } })
      },
      ...failures(shape, codes, fields, body)
    }
  }
  // Only the body and the successful response are for the compiler; declared failures are for documents and tests.
  return schema as unknown as typeof schema & { body: Body, response: Record<Status, Answer> }
}

/** The security requirements of an authenticated route; any one of them suffices. */
export const credentials = ({ cookie }: Pick<ContractShape, 'cookie'>): Array<Record<string, string[]>> => [
  { bearer: [] },
  ...(cookie === undefined ? [] : [{ [cookie]: [] }])
]

export interface PageDescription {
  operationId: string
  summary: string
  description?: string
  tag: string
  /** What each status means, in a sentence. */
  answers: Record<number, string>
}

/** A page for the browser: returns HTML, except for failures before its handler runs. */
export function page (shape: ContractShape, { operationId, summary, description, tag, answers }: PageDescription) {
  const coded = failures(shape, everyRoute, [])
  return {
    operationId: operationIdOf(shape, operationId),
    summary,
    ...(description && { description }),
    tags: [tag],
    security: [],
    response: {
      ...coded,
      ...Object.fromEntries(
        Object.entries(answers).map(([status, meaning]) => [
          status,
          status.startsWith('3') ? redirect(meaning) : html(meaning, coded[status])
        ])
      )
    }
  }
}

const redirect = (description: string) => ({
  description,
  type: 'null',
  headers: { Location: { type: 'string', format: 'uri-reference', description: 'Where the browser goes next.' } }
})

const html = (description: string, coded?: { description: string, content: object }) => ({
  ...coded,
  description: coded ? `An HTML page: ${description} Or a problem document: ${coded.description}` : description,
  content: { 'text/html': { schema: Type.String() }, ...coded?.content }
})

const operationIdOf = ({ name }: ContractShape, operationId: string) =>
  name ? name + operationId[0]?.toUpperCase() + operationId.slice(1) : operationId

export type Body<Route extends { body: TSchema }> = Static<Route['body']>
