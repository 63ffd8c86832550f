/** Runs the `normalize` function of a user field: before its value is validated, and so before it is compared. */
import { Normalize } from '../../schemas/common.js'
import { fieldError, Rejection, type FieldError } from '../errors/failure.js'
import type { Property } from './form-body.js'

/** The normal form of a value, or the value itself with an error if the function refuses it. */
export function normalized (
  field: string, schema: Property, given: unknown, isForm: boolean
): { value: unknown, refusal?: FieldError } {
  const { [Normalize]: normalize } = schema
  const value = isForm && normalize ? coerced(schema, given) : given
  if (!normalize || !suits(schema, value)) return { value: given }
  try {
    return { value: normalize(value) ?? null }
  } catch (error) {
    // The function is the app's, but the value that it fails at comes from a client: that is no failure of the server.
    const refusal: FieldError = error instanceof Rejection
      ? { field, code: 'value_not_allowed', message: error.message }
      : fieldError(field, 'invalid')
    return { value: given, refusal }
  }
}

/** Whether the value has the right type, and is neither blank nor too long: the function need not check that. */
function suits ({ type, maxLength = Infinity }: Property, value: unknown): boolean {
  if (value === '' || (typeof value === 'string' && [...value].length > Number(maxLength))) return false
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const kinds = type === undefined ? ['object', 'array'] : [type].flat()
  return kind !== 'null' && (kinds.includes(kind) || (kinds.includes('integer') && Number.isInteger(value)))
}

/** A form consists of strings, which are converted when they are validated. */
function coerced ({ type }: Property, value: unknown): unknown {
  const [kind] = [type].flat()
  if (typeof value !== 'string' || value.trim() === '') return value
  if (kind === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return (kind === 'integer' || kind === 'number') && Number.isFinite(Number(value)) ? Number(value) : value
}
