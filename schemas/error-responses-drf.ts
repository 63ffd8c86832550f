/** Failures in the format of Django REST framework: `errors: 'drf'`. */
import { Type, type TSchema } from '@sinclair/typebox'
import { componentName, componentRef, OneOf, type ContractShape } from './common.js'
import { errors, type ErrorStatus } from './errors.js'
import type { RouteFailures } from './route-failures.js'

export const drfComponents = (shape: ContractShape): TSchema[] => [
  Type.Object({}, {
    $id: componentName(shape, 'AuthFieldErrors'),
    additionalProperties: componentRef(shape, 'AuthMessages'),
    description: 'Messages per field; `non_field_errors` for the request as a whole.'
  }),
  Type.Unsafe({
    $id: componentName(shape, 'AuthMessages'),
    description: 'Messages about a field. If members of an object or list are wrong: messages per member, and in ' +
      '`non_field_errors` those about the value as a whole.',
    anyOf: [
      Type.Array(Type.String()),
      Type.Object({}, { additionalProperties: componentRef(shape, 'AuthMessages') })
    ]
  })
]

/** Only errors of tokens carry a code there. */
const tokenCodes = ['bad_authorization_header', 'user_not_found', 'user_inactive', 'token_not_valid']

/** The content of a response with one of `codes`. */
export function drfContent (shape: ContractShape, _status: ErrorStatus, { codes }: RouteFailures) {
  const hasDetail = codes.some(code => errors[code].shownIn === 'detail')
  const hasFields = codes.some(code => errors[code].shownIn !== 'detail')
  const fields = componentRef(shape, 'AuthFieldErrors')
  const detail = detailOf(shape, tokenCodes.filter(code => codes.some(own => own === code)))
  return {
    'application/json': {
      schema: hasDetail && hasFields ? eitherOf(shape, detail, fields) : hasDetail ? detail : fields
    }
  }
}

const eitherOf = (shape: ContractShape, detail: TSchema, fields: TSchema) => Type.Unsafe({
  $id: componentName(shape, 'AuthBadRequest'),
  description: 'What is wrong with the request.',
  anyOf: [detail, fields]
})

/** Errors of tokens have a code. Where only one is possible, the component has the name of that. */
function detailOf (shape: ContractShape, codes: readonly string[]): TSchema {
  const name = codes.length === 0 ? 'AuthError' : codes.length === 1 ? 'AuthTokenNotValid' : 'AuthUnauthorized'
  return Type.Object({
    detail: Type.String({ description: 'What went wrong, for people.' }),
    ...(codes.length > 0 && {
      code: Type.Optional(OneOf(codes, 'What went wrong, for programs. Absent if no credentials were sent.')),
      messages: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: Type.String() }), {
        description: 'The kind of token that is not valid, and why.'
      }))
    })
  }, { $id: componentName(shape, name), description: 'An error response.' })
}
