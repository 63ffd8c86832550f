/**
 * How failures are documented: one answer a status, with the codes that this route can give there and nothing
 * else, so that a generated client's `switch` over `code` is complete when the compiler says so.
 */
import { Type, type TSchema } from '@sinclair/typebox'
import { componentName, OneOf, type ContractShape } from './common.js'
import {
  answerCodes, contractFieldCodes, errors, fieldCodes, manual, messageOf, type AnswerCode, type FieldCode
} from './errors.js'

const ref = (shape: ContractShape, name: string) => Type.Ref(`${componentName(shape, name)}#`)
const messages = Type.Array(Type.String())

/** The shapes that all failures share: named types for a client's own helpers, and the list of all codes. */
export const failureComponents = (shape: ContractShape): TSchema[] =>
  shape.errors === 'drf'
    ? [
        Type.Object(
          {},
          {
            $id: componentName(shape, 'AuthFieldErrors'),
            additionalProperties: messages,
            description: 'Messages per field; `non_field_errors` for the whole.'
          }
        )
      ]
    : [
        Type.Object(
          {
            type: Type.String({ format: 'uri-reference', description: "Address of the code's explanation." }),
            title: Type.String({ description: 'The status in words.' }),
            status: Type.Integer({ description: 'The status of the answer.' }),
            code: OneOf(answerCodes, 'What went wrong, for programs. Stable.'),
            detail: Type.String({ description: 'What went wrong, for people.' })
          },
          {
            $id: componentName(shape, 'AuthProblem'),
            description: 'A failure: RFC 9457 problem details with a `code`.'
          }
        ),
        Type.Object(
          {
            field: Type.String({ description: 'Name of the field at fault.' }),
            code: OneOf(fieldCodes, 'What is wrong with the field, for programs. Stable.'),
            message: Type.String({ description: 'What is wrong with the field, for people.' })
          },
          { $id: componentName(shape, 'AuthFieldError'), description: 'What is wrong with one field.' }
        )
      ]

/** The failures of a route, one answer a status, each with the codes it may carry. */
export function failures (shape: ContractShape, codes: readonly AnswerCode[], fields: readonly FieldCode[], body?: TSchema) {
  const statuses = [...new Set(codes.map(code => errors[code].status))].sort((a, b) => a - b)
  const field = Object.keys(body?.properties ?? {})[0]
  return Object.fromEntries(statuses.map(status => {
    const own = codes.filter(code => errors[code].status === status)
    const content = shape.errors === 'drf' ? drf(shape, own) : problem(shape, own, status === 400 ? fields : [], field)
    return [status, { description: own.map(code => `\`${code}\``).join(', '), ...headers[status], content }]
  }))
}

const headers: Record<number, { headers: Record<string, object> }> = {
  401: {
    headers: {
      'WWW-Authenticate': {
        type: 'string',
        description: 'The challenge: `Bearer`, and what was wrong with the token (RFC 6750).'
      }
    }
  },
  503: { headers: { 'Retry-After': { type: 'integer', description: 'Seconds to wait.' } } }
}

function problem (shape: ContractShape, codes: readonly AnswerCode[], fields: readonly FieldCode[], field: string | undefined) {
  const narrowed = Type.Object({
    code: OneOf(codes),
    ...(fields.length > 0 && {
      errors: Type.Optional(Type.Array(
        Type.Unsafe({ allOf: [ref(shape, 'AuthFieldError'), Type.Object({ code: OneOf(fields) })] }),
        { description: 'Every field at fault, in the order of the request schema.' }
      ))
    })
  })
  const examples = Object.fromEntries(codes.map(code => {
    const value = {
      type: `${manual}#${code}`,
      title: titles[errors[code].status],
      status: errors[code].status,
      code,
      detail: messageOf(code, { ...samples, type: code === 'not_an_object' ? 'list' : 'text/plain' })
    }
    const fault = fields.find(code => code === 'required') ?? 'invalid_type'
    const found =
      code === 'validation_error' && field
        ? { errors: [{ field, code: fault, message: messageOf(fault, { type: 'string' }) }] }
        : {}
    return [code, { value: { ...value, ...found } }]
  }))
  return {
    'application/problem+json': { schema: Type.Unsafe({ allOf: [ref(shape, 'AuthProblem'), narrowed] }), examples }
  }
}

/** Fills the messages of the examples. */
const samples = {
  reason: 'Unexpected end of JSON input',
  identifier: '"email"',
  problem: 'Send application/json, or the header X-Requested-With.'
}
const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable'
}

const drfTokenCodes = ['bad_authorization_header', 'user_not_found', 'user_inactive', 'token_not_valid']

function drf (shape: ContractShape, codes: readonly AnswerCode[]) {
  const named = drfTokenCodes.filter(code => codes.some(own => own === code))
  const detail = Type.Object({
    detail: Type.String({ description: 'What went wrong, for people.' }),
    ...(named.length > 0 && {
      code: Type.Optional(OneOf(named, 'What went wrong, for programs; absent where no credentials were sent.')),
      messages: Type.Optional(
        Type.Array(Type.Object({}, { additionalProperties: Type.String() }), {
          description: 'Which kind of token is not valid, and why.'
        })
      )
    })
  })
  const detailed = codes.some(code => errors[code].shownIn === 'detail')
  const listed = codes.some(code => errors[code].shownIn !== 'detail')
  const fields = ref(shape, 'AuthFieldErrors')
  return {
    'application/json': {
      schema: detailed && listed ? Type.Unsafe({ anyOf: [detail, fields] }) : detailed ? detail : fields
    }
  }
}

interface Property { type?: string | string[], format?: string, minLength?: number, [keyword: string]: unknown }

// Whatever else a schema says about a value is answered with `invalid`.
const namedKeywords = new Set([
  'type', 'format', 'minLength', 'maxLength', 'enum', 'const', 'minimum', 'maximum', 'description', 'title',
  'examples', 'default'
])
const finds: Record<typeof contractFieldCodes[number], (property: Property, name: string) => boolean> = {
  required: property => 'required' in property,
  null: ({ type }) => ![type].flat().includes('null'),
  blank: ({ minLength = 0 }) => minLength > 0,
  invalid: ({ type, format = 'password', ...rest }, name) =>
    [type].flat().some(one => one === 'object' || one === 'array') || !['email', 'password'].includes(format) ||
    Object.keys(rest).some(keyword => !namedKeywords.has(keyword) && !(keyword === 'pattern' && name === 'username')),
  invalid_type: () => true,
  invalid_choice: property => 'enum' in property || 'const' in property,
  invalid_email: ({ format }) => format === 'email',
  invalid_username: (property, name) => name === 'username' && 'pattern' in property,
  max_length: property => 'maxLength' in property,
  min_length: ({ minLength = 0 }) => minLength > 1,
  max_value: property => 'maximum' in property,
  min_value: property => 'minimum' in property,
  null_characters_not_allowed: () => true,
  surrogate_characters_not_allowed: () => true
}

/** What validation alone can find wrong with a body. */
export function contractCodesOf (body: TSchema): FieldCode[] {
  const properties = Object.entries<Property>(body.properties)
  return contractFieldCodes.filter(
    code =>
      (code === 'required' && body.required?.length > 0) ||
      properties.some(([name, property]) => finds[code](property, name))
  )
}
