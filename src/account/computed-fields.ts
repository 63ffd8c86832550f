/** Computes the user fields that have a function in place of a column. */
import type { ComputedField } from '../../schemas/columnless-fields.js'
import { redactQueryError } from '../db/errors.js'
import type { UserRow } from '../db/tables.js'
import { Failure } from '../errors/failure.js'
import { createValueValidator } from '../validation/body-validator.js'

type Values = Record<string, unknown>

/** Returns a function that computes all fields of a user, or the eager ones, at the same time. */
export function createComputedFields (fields: readonly ComputedField[]) {
  const validator = createValueValidator()
  const computations = fields.map(field => ({ ...field, run: createComputation(field, validator(field.output)) }))

  return async function computeFields (row: UserRow, user: Values, which: 'all' | 'eager'): Promise<Values> {
    const wanted = computations.filter(({ eager }) => which === 'all' || eager)
    return Object.fromEntries(await Promise.all(wanted.map(async ({ name, run }) => [name, await run(row, user)])))
  }
}

/** The value of one field, as JSON. Throws `internal_error`, whose cause names the field, but never the value. */
function createComputation ({ name, compute }: ComputedField, fits: (value: unknown) => boolean) {
  // `request.user` and the response of a request may be made from the same row: compute once.
  const known = new WeakMap<UserRow, Promise<unknown>>()
  const failureOf = (problem: string, cause?: unknown) => Object.assign(new Failure('internal_error'), {
    cause: new Error(`userFields.${name}.compute: ${problem}`, { cause: redactQueryError(cause) })
  })

  async function run (user: Values): Promise<unknown> {
    const value = await toJson(compute, user).catch((error: unknown) => { throw failureOf('threw an error', error) })
    if (!fits(value)) throw failureOf('returned a value that does not match the schema')
    return value
  }

  return (row: UserRow, user: Values): Promise<unknown> => {
    const value = known.get(row) ?? run(user)
    known.set(row, value)
    return value
  }
}

/** What the client gets, in which a Date is a string. */
const toJson = async (compute: ComputedField['compute'], user: Values): Promise<unknown> =>
  JSON.parse(JSON.stringify(await compute(user) ?? null))
