/** What the app's own code may set with `app.restAuth.users`. */
import { Type, type TProperties } from '@sinclair/typebox'
import { Password } from './common.js'
import { emptiedByBlank } from './field-input.js'
import { usernameProperty } from './registration.js'
import { EmailField, type AccountShape } from './user.js'
import { Pk } from './user-pk.js'
import { Username } from './username.js'

const Time = Type.String({ format: 'date-time' })

/** What a user brings along from another system. */
const history = ({ pk }: AccountShape): TProperties => ({
  // An access token holds no more than 200 characters.
  pk: Type.Optional(pk === 'integer' ? Pk(pk) : Type.String({ minLength: 1, maxLength: 200 })),
  password_hash: Type.Optional(Type.String({ maxLength: 1024 })),
  is_active: Type.Optional(Type.Boolean()),
  created_at: Type.Optional(Time),
  last_login: Type.Optional(Time)
})

export function programmaticBodies (shape: AccountShape) {
  const verified = { email_verified: Type.Optional(Type.Boolean()) }
  const imported: TProperties = {
    ...usernameProperty(shape), email: EmailField(shape), ...verified, ...history(shape)
  }
  const create: TProperties = { ...imported, password: Type.Optional(Password('The password.')) }
  const update: TProperties = {
    ...(shape.username !== 'none' && { username: Type.Optional(emptiedByBlank(Username(shape.usernameMinLength))) }),
    email: Type.Optional(EmailField(shape)),
    ...verified
  }
  for (const field of shape.fields) {
    create[field.name] = field.required ? field.input : Type.Optional(field.input)
    imported[field.name] = Type.Optional(field.input)
    update[field.name] = Type.Optional(emptiedByBlank(field.input))
  }
  return { create: Type.Object(create), import: Type.Object(imported), update: Type.Object(update) }
}
