/** The body of an HTML form. It consists of strings, from which Ajv coerces numbers and booleans. */

export interface Property {
  type?: string | string[]
  format?: string
  minLength?: number
  [keyword: string]: unknown
}

export class FormBody {
  readonly fields: URLSearchParams

  constructor (fields: URLSearchParams) {
    this.fields = fields
  }

  /** As in HTML: a list is a repeated field, a ticked checkbox sends `on`, and an unticked one sends nothing. */
  read (name: string, { type }: Property, isRequired: boolean): unknown {
    const values = this.fields.getAll(name)
    if (values.length === 0 && !isRequired) return undefined
    const [kind] = [type].flat()
    if (kind === 'array') return values
    if (kind === 'boolean' && values.length === 0) return 'false'
    // As in Django, the last value of a repeated field counts.
    return kind === 'boolean' && values.at(-1) === 'on' ? 'true' : values.at(-1)
  }
}
