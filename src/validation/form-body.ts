/** The body of an HTML form. It consists of strings, from which Ajv coerces numbers and booleans. */
import { Normalize, WhenBlank, type BlankMeaning } from '../../schemas/common.js'
import type { JsonSchema } from '../../schemas/json-schema.js'

export interface Property extends JsonSchema {
  format?: string
  minLength?: number
  minItems?: number
  [WhenBlank]?: BlankMeaning
  [Normalize]?: (value: unknown) => unknown
}

export interface Reading {
  isRequired: boolean
  isPartial: boolean
}

export class FormBody {
  readonly fields: URLSearchParams

  constructor (fields: URLSearchParams) {
    this.fields = fields
  }

  /** As in HTML: a list is a repeated field, a ticked checkbox sends `on`, and an unticked one sends nothing. */
  read (name: string, schema: Property, { isRequired, isPartial }: Reading): unknown {
    const values = this.fields.getAll(name)
    const [kind] = [schema.type].flat()
    if (values.length === 0) return isRequired || !isPartial ? valueOfNothing(schema, isRequired) : undefined
    if (kind === 'array') return values.every(value => value.trim() === '') ? '' : values
    // As in Django, the last value of a repeated field counts.
    return kind === 'boolean' && values.at(-1) === 'on' ? 'true' : values.at(-1)
  }
}

/** As in Django REST framework, a whole form unticks the boxes and empties the lists that it does not send. */
function valueOfNothing (schema: Property, isRequired: boolean): unknown {
  const { type, [WhenBlank]: meaning } = schema
  const [kind] = [type].flat()
  if (kind === 'array') return isRequired ? [] : meaning === 'empty' ? '' : undefined
  if (kind !== 'boolean' || meaning === 'absent') return undefined
  return isRequired || canBeFalse(schema) ? 'false' : meaning === 'empty' ? '' : undefined
}

const canBeFalse = ({ const: only, enum: choices }: Property) =>
  only !== true && !(Array.isArray(choices) && !choices.includes(false))
