/** What the schemas of all features share: fields, components and security schemes. */
import { Type, type ObjectOptions, type TProperties, type TSchema } from '@sinclair/typebox'

/**
 * What a blank value means for a field that the body may leave out: it is absent; an edit empties it; or it is
 * null in every body. Without this symbol a form's blank field is absent. A symbol, because no document should show it.
 */
export const WhenBlank = Symbol.for('fastify-rest-auth.whenBlank')
export type BlankMeaning = 'absent' | 'empty' | 'null'

/** The function that gives a value its normal form, before it is validated. A symbol: no document should show it. */
export const Normalize = Symbol.for('fastify-rest-auth.normalize')

/** The settings that a client can see, and that therefore shape the contract. */
export interface ContractShape {
  /** Prefix of component and operation names; empty for the first registration of the plugin in an app. */
  name: string
  errors: 'problem' | 'drf'
  /** Name of the cookie that holds the access token; undefined if tokens travel in bodies. */
  cookie?: string | undefined
  /** Whether requests that change something are checked for cross-site request forgery. */
  csrf?: boolean
  /** False if a refresh token stays the same until its session ends. */
  rotates?: boolean
}

export const Detail = Type.Object(
  { detail: Type.String() },
  { description: 'A message for the user.' }
)

/** A password is taken exactly as sent, never trimmed; its length is counted in code points. */
export const Password = (description: string, example = 'Sup3r-secret-pw') => Type.String({
  format: 'password', minLength: 1, maxLength: 256, description, examples: [example]
})

export const Email = Type.String({
  format: 'email',
  minLength: 1,
  maxLength: 254,
  description: 'Compared case-insensitively.',
  examples: ['alice@example.com']
})

/** A string limited to `values`, as a clean `enum` in OpenAPI and a union of literals in TypeScript. */
export const OneOf = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>(Type.String({ enum: values, ...(description && { description }) }))

/** A point in time, in UTC. */
export const Timestamp = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-11-23T18:59:49.244Z'] })

/**
 * An object whose properties depend on the options. `Known` has the properties that handlers read under any options:
 * a type with every option in it would cost them all inference, so it is asserted.
 */
export const ObjectKnownAs = <Known extends TSchema>(properties: TProperties, options?: ObjectOptions): Known =>
  Type.Object(properties, options) as unknown as Known

/** The name of a component in the document, with the prefix of the registration if the app has several. */
export const componentName = ({ name }: ContractShape, component: string) =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}${component}`

/** A reference to a component, so that generated clients get one named type. */
export const componentRef = (shape: ContractShape, component: string) =>
  Type.Ref(`${componentName(shape, component)}#`)

/** The security schemes of our routes, for a host that registers @fastify/swagger itself. */
export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access` token that login and registration return.'
  }
} as const

/** The security schemes if the access token travels in a cookie; its scheme has the name of the cookie. */
export const cookieSecuritySchemes = (name: string) => ({
  bearer: {
    ...securitySchemes.bearer,
    description: 'The access token, for clients that store it themselves. Cookies are then ignored.'
  },
  [name]: {
    type: 'apiKey',
    in: 'cookie',
    name,
    description: 'The access token, set by login and registration.'
  } as const
})
