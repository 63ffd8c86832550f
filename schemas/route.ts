/**
 * `route()` turns a feature's description of a route (body, response, errors) into the schema that Fastify validates,
 * serialises and documents.
 */
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { capitalised, operationComponent, type ContractShape } from './common.js'
import { contractCodesOf } from './contract-codes.js'
import { failures } from './error-responses.js'
import type { AnswerCode, FieldCode } from './errors.js'
import { exampleOf } from './examples.js'
import type { LimitedActionName } from './limited-actions.js'
import { authenticatedRoute, bodyRoute, everyRoute } from './route-failures.js'

export interface RouteDescription<Body extends TSchema, Answer extends TSchema, Status extends number = 200> {
  operationId: string
  summary: string
  description: string
  tag: string
  /** What each parameter of the path is, in a sentence. */
  params?: Record<string, string>
  /** What each header of the request is that the route reads, in a sentence. */
  headers?: Record<string, string>
  /** The query, described and checked like a body; in a URL every value is text. */
  query?: TObject
  body?: Body
  /** Bodies that clients may send. Default: one with the example of every field. */
  bodies?: readonly object[]
  /** Whether the route changes something. Default: if it has a body. */
  unsafe?: boolean
  /** Whether the route requires an access token; `optional`: uses one that is sent. */
  authenticated?: boolean | 'optional'
  status?: Status
  /** `Type.Null()` for a response without a body. */
  answer: Answer
  /** What a successful response means, in a sentence. */
  answered: string
  /** What each header of a successful response is, in a sentence. */
  answerHeaders?: Record<string, string>
  /** A successful response. Default: one with the example of every field. */
  example?: unknown
  errors?: readonly AnswerCode[]
  /** The action whose limits hold for this route. */
  limit?: LimitedActionName
  fields?: readonly FieldCode[]
  /** Fills the placeholders in the messages of `errors`. */
  samples?: Record<string, string>
}

/** The schema of a route for Fastify; its type keeps body and response, so that handlers are checked. */
export function route<Body extends TSchema, Answer extends TSchema, Status extends number = 200> (
  shape: ContractShape,
  described: RouteDescription<Body, Answer, Status>
) {
  const { operationId, summary, description, tag, params, headers, query, authenticated = false } = described
  const { body = query } = described
  const schema = {
    operationId: operationIdOf(shape, operationId),
    summary,
    description,
    tags: [tag],
    security: authenticated ? [...credentials(shape), ...(authenticated === 'optional' ? [{}] : [])] : [],
    ...pathParameters(params),
    ...(headers && { headers: Type.Partial(textsOf(headers)) }),
    ...(query && { querystring: query }),
    ...namedBody(shape, described),
    response: {
      ...success(described),
      ...failures(shape, {
        operationId,
        codes: codesOf(shape, described),
        fieldCodes: body ? [...contractCodesOf(body), ...(described.fields ?? [])] : [],
        body,
        samples: described.samples
      })
    }
  }
  // Only the body and the successful response are for the compiler; declared failures are for documents and tests.
  return schema as unknown as typeof schema & { body: Body, response: Record<Status, Answer> }
}

type AnyRoute = RouteDescription<TSchema, TSchema, number>

const codesOf = (
  { csrf = false, limited }: ContractShape, { body, query, authenticated, unsafe, errors = [], limit }: AnyRoute
) => [
  ...(body ? bodyRoute : query ? ['validation_error'] as const : []),
  ...everyRoute,
  ...(authenticated === true ? authenticatedRoute : []),
  ...((unsafe ?? body !== undefined) && csrf ? ['csrf_failed'] as const : []),
  ...(limit && limited?.has(limit) ? ['too_many_requests'] as const : []),
  ...errors
]

/** The body, whose `$id` is the name of its component in the document. */
function namedBody (shape: ContractShape, { operationId, body, bodies }: AnyRoute): object {
  if (!body) return {}
  const examples = bodies ?? [exampleOf(body)].filter(example => example !== undefined)
  const $id = operationComponent(shape, operationId, 'Request')
  return { body: { ...body, ...(examples.length > 0 && { examples }), $id } }
}

const success = ({ status = 200, answered, answerHeaders, answer, example }: AnyRoute) => ({
  [status]: {
    description: answered,
    ...(answerHeaders && { headers: textsOf(answerHeaders).properties }),
    ...(answer.type === 'null'
      ? answer
      : { content: { 'application/json': { schema: answer, ...(example !== undefined && { example }) } } })
  }
})

/** For the document alone: the router passes every parameter on as a string. */
export const pathParameters = (params: Record<string, string> | undefined) => params && {
  params: textsOf(params)
}

const textsOf = (descriptions: Record<string, string>) => Type.Object(Object.fromEntries(
  Object.entries(descriptions).map(([name, description]) => [name, Type.String({ description })])
))

/** The security requirements of an authenticated route; any one of them suffices. */
export const credentials = ({ cookie }: Pick<ContractShape, 'cookie'>): Array<Record<string, string[]>> => [
  { bearer: [] },
  ...(cookie === undefined ? [] : [{ [cookie]: [] }])
]

export type Body<Route extends { body: TSchema }> = Static<Route['body']>

export const operationIdOf = ({ name }: ContractShape, operationId: string) =>
  name ? name + capitalised(operationId) : operationId
