/** The vocabulary that the features share. */
import { Type, type ObjectOptions, type TProperties, type TSchema } from '@sinclair/typebox'

/** What decides the contract's shape: the part of the settings that a client can see. */
export interface ContractShape {
  /** Put before component and operation names; empty for the first registration of the plugin in an app. */
  name: string
  errors: 'problem' | 'drf'
  /** Name of the cookie that the access token travels in; where there is none, tokens are in the answers. */
  cookie?: string | undefined
  /** Whether requests that change something may be refused as forgeries. */
  csrf?: boolean
}

export const Detail = Type.Object(
  { detail: Type.String() },
  { description: 'A sentence for people.' }
)

/** A password as it arrives: taken exactly as sent, never trimmed; the length is counted in code points. */
export const Password = (description: string, example = 'Sup3r-secret-pw') => Type.String({
  format: 'password', minLength: 1, maxLength: 256, description, examples: [example]
})

export const Email = Type.String({
  format: 'email',
  minLength: 1,
  maxLength: 254,
  description: 'Compared without regard to case.',
  examples: ['alice@example.com']
})

/** A string limited to `values`, as a clean `enum` in OpenAPI and a union of literals in TypeScript. */
export const OneOf = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>(Type.String({ enum: values, ...(description && { description }) }))

/**
 * An object whose properties follow from the options. `Known` is what the handlers may count on whatever those are:
 * a type with every option in it would cost them all inference.
 */
export const ObjectKnownAs = <Known extends TSchema>(properties: TProperties, options?: ObjectOptions): Known =>
  Type.Object(properties, options) as unknown as Known

/** A component's name in the document: its own, behind that of the registration where an app has several. */
export const componentName = ({ name }: ContractShape, component: string) =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}${component}`

/** For a host that registers @fastify/swagger itself: what our routes' `security` refers to. */
export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access` token that login and registration answer with.'
  }
} as const

/** The same where the access token travels in a cookie: its scheme is called what it is called. */
export const cookieSecuritySchemes = (name: string) => ({
  bearer: {
    ...securitySchemes.bearer,
    description: 'The access token, from clients that keep it themselves. Cookies are ignored then.'
  },
  [name]: {
    type: 'apiKey',
    in: 'cookie',
    name,
    description: 'The access token, as login and registration set it.'
  } as const
})
