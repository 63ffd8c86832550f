/** Failures in the format of Django REST framework: `errors: 'drf'`. */
import { Type, type TSchema } from '@sinclair/typebox'
import { componentName, componentRef, OneOf, type ContractShape } from './common.js'
import { errors, type AnswerCode } from './errors.js'

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
export function drfContent (shape: ContractShape, codes: readonly AnswerCode[]) {
  const hasDetail = codes.some(code => errors[code].shownIn === 'detail')
  const hasFields = codes.some(code => errors[code].shownIn !== 'detail')
  const fields = componentRef(shape, 'AuthFieldErrors')
  const detail = detailSchema(tokenCodes.filter(code => codes.some(own => own === code)))
  return {
    'application/json': {
      schema: hasDetail && hasFields ? Type.Unsafe({ anyOf: [detail, fields] }) : hasDetail ? detail : fields
    }
  }
}

const detailSchema = (codes: readonly string[]) => Type.Object({
  detail: Type.String({ description: 'What went wrong, for people.' }),
  ...(codes.length > 0 && {
    code: Type.Optional(OneOf(codes, 'What went wrong, for programs. Absent if no credentials were sent.')),
    messages: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: Type.String() }), {
      description: 'The kind of token that is not valid, and why.'
    }))
  })
})
