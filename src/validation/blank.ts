/** What a blank value of a body means: an absent field, an emptied one, or text that the schema may refuse. */
import { acceptsBlank } from '../../schemas/blank-text.js'
import { WhenBlank } from '../../schemas/common.js'
import type { Property } from './form-body.js'

/** The value to validate in place of `''`; undefined if the field counts as absent. */
export function blankValue (schema: Property, isRequired: boolean, isForm: boolean): unknown {
  const { [WhenBlank]: meaning, format, minLength, minItems } = schema
  const isEdit = meaning === 'empty'
  // A form in which nothing of a list is chosen.
  if (isForm && has(schema, 'array') && !minItems && (isRequired || isEdit)) return []
  if (isRequired) return ''
  const isText = has(schema, 'string')
  if (meaning === 'null' && (isForm || isText)) return null
  // JSON means '' as text, except where no text could be blank: a front end sends '' for a date that was not picked.
  const isRefusedByFormat = isText && format !== undefined && !minLength
  if (!isForm && !isRefusedByFormat) return ''
  // A client that sends the repetition of a password, even a blank one, asks for the comparison.
  if (!isEdit) return format === 'password' ? '' : undefined
  return acceptsBlank(schema) || !has(schema, 'null') ? '' : null
}

const has = ({ type = [] }: Property, kind: string) => [type].flat().includes(kind)
