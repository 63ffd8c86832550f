/**
 * The user as clients see it (`pk`, `username`, `email` and the user fields), and the routes for one's own account:
 *
 *   GET   /user   reads the user
 *   PUT   /user   replaces all editable fields
 *   PATCH /user   changes the fields sent
 */
import { Type, type TObject, type TOptional, type TProperties, type TSchema, type TString } from '@sinclair/typebox'
import type { ComputedField } from './columnless-fields.js'
import {
  componentName, componentRef, Email, ObjectKnownAs, OneOf, WhenBlank, type ContractShape
} from './common.js'
import type { AnswerCode, FieldCode } from './errors.js'
import { blankForNull, emptiedByBlank, inputOf, nullable, outputOf } from './field-input.js'
import { isNamedIfMissing, isWriteOnce } from './missing-fields.js'
import { route } from './route.js'
import type { FieldInput, FieldSpec } from './user-fields.js'
import { Pk } from './user-pk.js'
import { Username } from './username.js'

export interface AccountShape extends ContractShape {
  username: 'none' | 'optional' | 'required'
  usernameMinLength: number
  email: 'optional' | 'required'
  emailVerification: 'mandatory' | 'optional' | 'none'
  pk?: 'string' | 'integer'
  fields: readonly FieldSpec[]
  /** Fields that registration asks for and that are not stored. */
  unstoredFields?: readonly FieldInput[]
  computedFields?: readonly ComputedField[]
}

/** What handlers know of a user in a response; they do not read the user fields. */
export type UserAnswer = TObject<{
  pk: TSchema & { static: string | number }
  username: TOptional<TSchema & { static: string | null }>
  email: TSchema & { static: string | null }
}>

/** The user in responses. */
export function userAnswer (shape: AccountShape): UserAnswer {
  const { username, errors, fields, computedFields = [] } = shape
  const properties: TProperties = {
    pk: Pk(shape.pk),
    ...(username !== 'none' && { username: nullable(Type.String({ examples: ['alice'] }), username === 'optional') }),
    email: emailAnswer(shape)
  }
  for (const field of fields) if (field.userDetails !== 'hidden') properties[field.name] = outputOf(shape, field)
  for (const { name, output } of computedFields) properties[name] = output
  const names = fields.filter(isNamedIfMissing).map(({ name }) => name)
  if (names.length > 0) {
    properties.missing_fields = Type.Optional(
      Type.Array(OneOf(names), {
        description: `Fields that are ${errors === 'drf' ? 'blank or ' : ''}\`null\` because the user has not ` +
          'provided a required value yet, or because the stored value no longer has the type declared here. Send ' +
          'them with `PATCH /user`, if it accepts them.'
      })
    )
  }
  return ObjectKnownAs<UserAnswer>(properties, {
    $id: componentName(shape, 'AuthUser'),
    description: 'The details of a user, as that user sees them.'
  })
}

function emailAnswer ({ email, errors }: AccountShape): TSchema {
  const address = Type.String({ format: 'email', examples: ['alice@example.com'] })
  if (email === 'required') return address
  return errors === 'drf' ? blankForNull(address) : nullable(address, true)
}

export const UserRef = (shape: ContractShape) =>
  Type.Unsafe<UserAnswer['static']>(componentRef(shape, 'AuthUser'))

function userBody (shape: AccountShape, whole: boolean) {
  const properties: TProperties = {}
  if (shape.username !== 'none') {
    const username = Username(shape.usernameMinLength)
    properties.username =
      whole && shape.username === 'required'
        ? username
        : Type.Optional(emptiedByBlank(nullable(username, shape.username === 'optional')))
  }
  for (const field of shape.fields) {
    if (field.userDetails === 'editable') {
      const input = inputOf(shape, field)
      properties[field.name] = whole && field.required ? input : Type.Optional(emptiedByBlank(input))
    } else if (isWriteOnce(field)) {
      const description = [field.input.description, acceptedOnce].filter(Boolean).join(' ')
      properties[field.name] = Type.Optional({ ...field.input, description, [WhenBlank]: 'absent' })
    }
  }
  return ObjectKnownAs<TObject<{ username: TOptional<TString> }>>(properties)
}

const acceptedOnce = 'Accepted from a user who has none yet, and ignored after that.'

/** Why the database or the app's hooks may reject the `writable` fields. */
export const takenCodes = (
  { username, fields }: AccountShape,
  writable: (field: FieldSpec) => boolean
): FieldCode[] => [
  ...(username === 'none' ? [] : (['username_taken', 'username_not_allowed'] as const)),
  ...(fields.some(field => field.unique && writable(field)) ? (['value_taken'] as const) : []),
  'value_not_allowed'
]

const recentForUsername =
  'Changing or clearing the username requires authentication within the last five minutes; giving a first one does not.'
const own = 'The details of the user whose token the request has.'
const readOnly = 'Read-only and unknown fields are ignored.'
const once = 'A field in `missing_fields` is accepted once even if it is read-only, unless a value is stored.'

export const userRoutes = (shape: AccountShape) => {
  const common = {
    tag: 'User', authenticated: true, answer: UserRef(shape), answered: 'The current details of the user.'
  }
  const recent: AnswerCode[] = shape.username === 'none' ? [] : ['reauthentication_required']
  const taken = {
    errors: ['rejected', ...recent],
    fields: takenCodes(shape, field => field.userDetails === 'editable' || isWriteOnce(field))
  } as const
  const description = [
    readOnly, shape.fields.some(isWriteOnce) && once, shape.username !== 'none' && recentForUsername
  ].filter(Boolean).join(' ')
  return {
    getUser: route(shape, { ...common, operationId: 'getUser', summary: 'Read the logged-in user', description: own }),
    replaceUser: route(shape, {
      ...common,
      ...taken,
      operationId: 'replaceUser',
      summary: "Replace the user's details",
      description,
      body: userBody(shape, true)
    }),
    updateUser: route(shape, {
      ...common,
      ...taken,
      operationId: 'updateUser',
      summary: "Change some of the user's details",
      description,
      body: userBody(shape, false)
    })
  }
}

export const EmailField = (shape: AccountShape) => shape.email === 'required' ? Email : Type.Optional(Email)
