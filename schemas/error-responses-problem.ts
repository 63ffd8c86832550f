/** Failures as problem details (RFC 9457), the default of the option `errors`. */
import { Type, type ObjectOptions, type TProperties, type TSchema } from '@sinclair/typebox'
import {
  capitalised, componentName, componentRef, OneOf, operationComponent, type ContractShape
} from './common.js'
import {
  answerCodes, errors, fieldCodes, manual, messageOf, type AnswerCode, type ErrorStatus,
  type FieldCode
} from './errors.js'
import { typeNames, type JsonSchema } from './json-schema.js'
import { authenticatedRoute, type RouteFailures } from './route-failures.js'

export const problemComponents = (shape: ContractShape): TSchema[] => [
  Type.Object({
    type: Type.String({ format: 'uri-reference', description: 'Address of the documentation of the code.' }),
    title: Type.String({ description: 'The HTTP status in words.' }),
    status: Type.Integer({ description: 'The HTTP status code.' }),
    code: OneOf(answerCodes, 'What went wrong, for programs. Stable.'),
    detail: Type.String({ description: 'What went wrong, for people.' })
  }, {
    $id: componentName(shape, 'AuthProblem'),
    description: 'An error response: RFC 9457 problem details with a `code`.'
  }),
  Type.Object({
    field: Type.String({ description: 'Name of the invalid field.' }),
    code: OneOf(fieldCodes, 'What is wrong with the field, for programs. Stable.'),
    message: Type.String({ description: 'What is wrong with the field, for people.' }),
    pointer: Type.Optional(Type.String({
      description: 'Which member is wrong, if the field is an object or a list: a JSON Pointer (RFC 6901) into the ' +
        'body, such as `/address/zip` or `/tags/0`.'
    }))
  }, { $id: componentName(shape, 'AuthFieldError'), description: 'An error in one field.' })
]

/** The content of a response with one of `codes`; `fieldCodes` are possible in its `errors`. */
export function problemContent (shape: ContractShape, status: ErrorStatus, route: RouteFailures) {
  const { operationId, codes, fieldCodes = [], body, samples } = route
  const errorsOf = status === 400 && fieldCodes.length > 0
    ? { errors: Type.Optional(fieldErrors(shape, operationId, fieldCodes)) }
    : {}
  const example = body && exampleError(body)
  const examples = Object.fromEntries(codes.map(code => [code, {
    value: { ...exampleOf(code, samples), ...(code === 'validation_error' && example && { errors: [example] }) }
  }]))
  const schema = narrowed(componentRef(shape, 'AuthProblem'), { code: OneOf(codes), ...errorsOf }, {
    $id: problemName(shape, status, route),
    description: `An error response of status ${status}.`
  })
  return { 'application/problem+json': { schema, examples } }
}

/** A schema that says more of some properties of `base`. */
const narrowed = (base: TSchema, properties: TProperties, options: ObjectOptions) =>
  Type.Unsafe({ ...options, allOf: [base], ...Type.Object(properties) })

const fieldErrors = (shape: ContractShape, operationId: string, codes: readonly FieldCode[]) => Type.Array(
  narrowed(componentRef(shape, 'AuthFieldError'), { code: OneOf(codes) }, {
    $id: operationComponent(shape, operationId, 'FieldError'),
    description: 'An error in one field of the request.'
  }),
  { description: 'Every invalid field, in the order of the request schema.' }
)

/** The codes that come with a status wherever it is possible. */
const usual: { readonly [Status in ErrorStatus]?: readonly AnswerCode[] } = {
  401: authenticatedRoute, 403: ['csrf_failed'], 502: ['provider_error'], 503: ['service_unavailable']
}

/**
 * Routes with the same codes share a component, whose name says what the usual codes do not: `AuthServerBusyProblem`.
 * What may be wrong with a request is different for each route: `AuthLoginProblem`.
 */
function problemName (shape: ContractShape, status: ErrorStatus, { operationId, codes }: RouteFailures): string {
  if (status === 400 && codes.length > 1) return operationComponent(shape, operationId, 'Problem')
  const expected = usual[status] ?? []
  const hasUsual = codes.length > 1 && expected.every(code => codes.includes(code))
  const telling = hasUsual ? codes.filter(code => !expected.includes(code)) : codes
  const name = telling.length > 0 ? telling.map(pascalCase).join('Or') : titles[status].replaceAll(' ', '')
  return componentName(shape, `Auth${name}Problem`)
}

const pascalCase = (code: string) => code.split('_').map(capitalised).join('')

function exampleOf (code: AnswerCode, samples: RouteFailures['samples']) {
  const { status } = errors[code]
  const type = code === 'not_an_object' ? 'list' : 'text/plain'
  const detail = messageOf(code, { ...commonSamples, type, ...samples })
  return { type: `${manual}#${code}`, title: titles[status], status, code, detail }
}

/** What a body without its first required field returns, or with a value of another type in its first field. */
function exampleError (body: TSchema) {
  const { required: [required] = [], properties = {} }: JsonSchema & { required?: string[] } = body
  if (required !== undefined) return { field: required, code: 'required', message: messageOf('required') }
  const [field, schema] = Object.entries(properties).find(([, { type }]) => type !== undefined) ?? []
  const [type = ''] = [schema?.type ?? ''].flat()
  const message = messageOf('invalid_type', { type: typeNames[type] ?? 'value' })
  return field && { field, code: 'invalid_type', message }
}

/** Fills the placeholders of messages that several routes have. */
const commonSamples = {
  reason: "Body is not valid JSON but content-type is set to 'application/json'",
  problem: 'Send application/json, or the header X-Requested-With.',
  seconds: '212'
}

const titles: Record<ErrorStatus, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable'
}
