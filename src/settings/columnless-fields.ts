/** Refuses options that contradict the way a user field without a column gets its value. */
import type { UserField } from '../../schemas/user-fields.js'
import { refuseOption } from '../lib/refuse-option.js'

const ofInput = ['registration', 'normalize', 'stored'] as const
const ofColumn = ['userDetails', 'unique', 'column'] as const

/** Throws an Error that names the first option that the field can't have. */
export function checkColumnless (name: string, field: UserField): void {
  const { schema, registration, stored, compute, eager } = field
  const refuse = (option: string, problem: string) => refuseOption(`userFields.${name}.${option}: ${problem}`)
  const given = (options: ReadonlyArray<keyof UserField>) => options.find(option => field[option] !== undefined)
  if (compute) {
    const option = given([...ofInput, ...ofColumn]) ?? (schema.default !== undefined ? 'schema.default' : undefined)
    if (option !== undefined) refuse(option, 'conflicts with compute, which alone gives the field its value')
    return
  }
  if (eager) refuse('eager', 'requires compute; a stored field is always in request.user')
  if (stored !== false) return
  const option = given(ofColumn)
  if (option !== undefined) refuse(option, 'conflicts with stored: false, which leaves no value to show or compare')
  if (registration === 'hidden') refuse('registration', 'conflicts with stored: false: nothing would ask for the value')
}
