/** Failures as problem details (RFC 9457), the default of the option `errors`. */
import { Type, type TSchema } from '@sinclair/typebox'
import { componentName, componentRef, OneOf, type ContractShape } from './common.js'
import { answerCodes, errors, fieldCodes, manual, messageOf, type AnswerCode, type FieldCode } from './errors.js'

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
export function problemContent (
  shape: ContractShape,
  codes: readonly AnswerCode[],
  fieldCodes: readonly FieldCode[],
  exampleField: string | undefined
) {
  const narrowed = Type.Object({
    code: OneOf(codes),
    ...(fieldCodes.length > 0 && { errors: Type.Optional(fieldErrors(shape, fieldCodes)) })
  })
  const examples = Object.fromEntries(codes.map(code => {
    const withFields = code === 'validation_error' && exampleField !== undefined
    return [code, { value: { ...exampleOf(code), ...(withFields && exampleErrors(exampleField, fieldCodes)) } }]
  }))
  return {
    'application/problem+json': {
      schema: Type.Unsafe({ allOf: [componentRef(shape, 'AuthProblem'), narrowed] }), examples
    }
  }
}

const fieldErrors = (shape: ContractShape, codes: readonly FieldCode[]) => Type.Array(
  Type.Unsafe({ allOf: [componentRef(shape, 'AuthFieldError'), Type.Object({ code: OneOf(codes) })] }),
  { description: 'Every invalid field, in the order of the request schema.' }
)

function exampleOf (code: AnswerCode) {
  const { status } = errors[code]
  const type = code === 'not_an_object' ? 'list' : 'text/plain'
  return {
    type: `${manual}#${code}`, title: titles[status], status, code, detail: messageOf(code, { ...samples, type })
  }
}

function exampleErrors (field: string, codes: readonly FieldCode[]) {
  const code = codes.find(code => code === 'required') ?? 'invalid_type'
  return { errors: [{ field, code, message: messageOf(code, { type: 'string' }) }] }
}

/** Fills the placeholders of the messages in examples. */
const samples = {
  reason: 'Unexpected end of JSON input',
  identifier: '"email"',
  problem: 'Send application/json, or the header X-Requested-With.'
}
const titles: Record<AnswerStatus, string> = {
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
type AnswerStatus = typeof errors[AnswerCode]['status']
