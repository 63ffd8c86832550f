/** The building blocks of the option schemas. */
import { Type, type SchemaOptions, type TProperties } from '@sinclair/typebox'

/** A misspelt option is an error, not a default. */
export const closed = { additionalProperties: false }

/** Options that belong together; each may be left out. */
export const Group = <Properties extends TProperties>(properties: Properties, description?: string) =>
  Type.Partial(Type.Object(properties), { ...closed, ...(description !== undefined && { description }) })

/** One of a few words. */
export const Choice = <const Words extends readonly string[]>(words: Words, options?: SchemaOptions) =>
  Type.Unsafe<Words[number]>(Type.Union(words.map(word => Type.Literal(word)), options))

export const Text = (description?: string) => Type.String({ minLength: 1, ...(description && { description }) })

export const days = 86400

/** A duration in seconds. */
export const Seconds = (minimum: number, maximum: number, byDefault: number, description: string) =>
  Type.Integer({ minimum, maximum, default: byDefault, description })

/** A function of the host; what it takes and returns is checked by TypeScript alone. */
export const Func = (description: string) =>
  Type.Unsafe<(...parameters: never[]) => unknown>(Type.Function([], Type.Unknown(), { description }))

/** An absolute URL without query and fragment; `title` completes "must be …" in the start-up error. */
export const Url = (title: string, description: string) =>
  Type.String({ pattern: '^https?://[^/?#@\\s]+(/[^?#\\s]*)?$', title, description })
