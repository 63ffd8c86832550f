/** What the schemas of all features share: fields, components and security schemes. */
import { Type, type ObjectOptions, type Static, type TProperties, type TSchema } from '@sinclair/typebox'
import type { LimitedActionName } from './limited-actions.js'

/**
 * What a blank value means for a field that the body may leave out: it is absent; an edit empties it; or it is
 * null in every body. Without this symbol a form's blank field is absent. A symbol, because no document should show it.
 */
export const WhenBlank = Symbol.for('fastify-rest-auth.whenBlank')
export type BlankMeaning = 'absent' | 'empty' | 'null'

/** The function that gives a value its normal form, before it is validated. A symbol: no document should show it. */
export const Normalize = Symbol.for('fastify-rest-auth.normalize')

/** Where a response puts the tokens: all in the body, all in cookies, or only the refresh token in a cookie. */
export type Delivery = 'body' | 'cookies' | 'refresh-cookie'

/** The settings that a client can see, and that therefore shape the contract. */
export interface ContractShape {
  /** Prefix of component and operation names; empty for the first registration of the plugin in an app. */
  name: string
  errors: 'problem' | 'drf'
  /** `opaque`: one key instead of an access and a refresh token. Default: `jwt`. */
  format?: 'jwt' | 'opaque'
  /**
   * How clients get their tokens. Two ways if apps get them in bodies and pages in cookies: `body` comes first, because
   * the schema of the other one fits both responses. Default: in bodies.
   */
  deliveries?: readonly Delivery[]
  /** Name of the cookie that authenticates a request; undefined if none does. */
  cookie?: string | undefined
  /** Whether requests that change something are checked for cross-site request forgery. */
  csrf?: boolean
  /** False if a refresh token stays the same until its session ends. */
  rotates?: boolean
  /** Whether events are stored. */
  audit?: boolean
  /** The actions with limits. Default: none. */
  limited?: ReadonlySet<LimitedActionName>
}

export const Detail = (shape: ContractShape) => Type.Object(
  { detail: Type.String({ description: 'A message for the user.' }) },
  { $id: componentName(shape, 'AuthDetail'), description: 'What has happened, in a sentence.' }
)

export const DetailRef = (shape: ContractShape) =>
  Type.Unsafe<Static<ReturnType<typeof Detail>>>(componentRef(shape, 'AuthDetail'))

/** A response that is always the same sentence. */
export const says = (shape: ContractShape, detail: string) => ({ answer: DetailRef(shape), example: { detail } })

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

/** A point in time, in UTC. The example is one of `moments`, so that the examples of a response fit each other. */
export const Timestamp = (description: string, example: keyof typeof moments = 'now') =>
  Type.String({ format: 'date-time', description, examples: [moments[example]] })

const moments = {
  now: '2026-11-23T18:54:49.244Z',
  inFiveMinutes: '2026-11-23T18:59:49.244Z',
  inAWeek: '2026-11-30T18:54:49.244Z',
  inAMonth: '2026-12-23T18:54:49.244Z'
}

/**
 * An object whose properties depend on the options. `Known` has the properties that handlers read under any options:
 * a type with every option in it would cost them all inference, so it is asserted.
 */
export const ObjectKnownAs = <Known extends TSchema>(properties: TProperties, options?: ObjectOptions): Known =>
  Type.Object(properties, options) as unknown as Known

export const capitalised = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`

/** The name of a component in the document, with the prefix of the registration if the app has several. */
export const componentName = ({ name }: ContractShape, component: string) => `${capitalised(name)}${component}`

/** The name of a component that belongs to one operation, such as `AuthLoginRequest`. */
export const operationComponent = (
  shape: ContractShape, operationId: string, kind: 'Request' | 'Problem' | 'FieldError'
) => componentName(shape, `Auth${capitalised(operationId).replace(/^Request/, '')}${kind}`)

/** A reference to a component, so that generated clients get one named type. */
export const componentRef = (shape: ContractShape, component: string) =>
  Type.Ref(`${componentName(shape, component)}#`)

const described = {
  jwt: {
    bearerFormat: 'JWT',
    description: 'The `access` token that login and registration return.',
    inCookie: 'The access token, set by login and registration.'
  },
  opaque: {
    description: 'The `key` that login and registration return. `Authorization: Token …` is the same.',
    inCookie: 'The key, set by login and registration.'
  }
}

/** The security schemes of our routes. That of the cookie has the name of the cookie. */
export function securitySchemes ({ cookie, format = 'jwt' }: Pick<ContractShape, 'cookie' | 'format'>) {
  const { inCookie, description, ...ofFormat } = { bearerFormat: undefined, ...described[format] }
  const bearer = {
    type: 'http',
    scheme: 'bearer',
    ...(ofFormat.bearerFormat && ofFormat),
    description: cookie === undefined
      ? description
      : `${description} For clients that store it themselves; cookies are then ignored.`
  } as const
  if (cookie === undefined) return { bearer }
  return { bearer, [cookie]: { type: 'apiKey', in: 'cookie', name: cookie, description: inCookie } as const }
}
