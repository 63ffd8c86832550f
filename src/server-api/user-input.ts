/** Checks what the app's own code, or a command, gives as a user. */
import type { TObject } from '@sinclair/typebox'
import type { Contract } from '../../schemas/index.js'
import { createBodyValidator, type CheckBody } from '../validation/body-validator.js'

/** Each throws a `validation_error` failure for invalid values, and a TypeError for an unknown field. */
export function createUserInputs ({ programmatic }: Pick<Contract, 'programmatic'>) {
  const validator = createBodyValidator()
  const checked = (schema: TObject) => {
    const check = validator(schema)
    return (input: object) => validated(check, schema, withTimesAsText(input))
  }
  const checkImported = checked(programmatic.import)
  return {
    readNew: checked(programmatic.create),
    readImported: (input: object) => checkImported(withoutNulls(input)),
    readChanges: checked(programmatic.update)
  }
}

/** Another system writes null for what it does not know. */
const withoutNulls = (input: object): object =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null))

/** A `Date` becomes the text that the schemas describe. */
const withTimesAsText = (input: object): object =>
  Object.fromEntries(Object.entries(input).map(([name, value]) =>
    [name, value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value]))

/** The validated input. A misspelt field in the app's code is a bug, which ignoring it would hide. */
function validated (check: CheckBody, schema: TObject, input: object): Record<string, unknown> {
  const unknown = Object.keys(input).find(name => !Object.hasOwn(schema.properties, name))
  if (unknown !== undefined) throw new TypeError(`users: there is no field ${unknown}`)
  const result = check(input)
  if ('error' in result) throw result.error
  return result.value
}
