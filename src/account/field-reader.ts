/** Reads the values of the user fields from a row of the users table. */
import { isNamedIfMissing, mayBeMissing } from '../../schemas/missing-fields.js'
import type { FieldSpec } from '../../schemas/user-fields.js'
import type { UserRow } from '../db/tables.js'
import { createValueValidator } from '../validation/body-validator.js'

/** A value as it is stored, or null if it no longer has the type that responses declare. */
export function createFieldReader (fields: readonly FieldSpec[]) {
  const validator = createValueValidator()
  const readers = fields.map(field => ({
    name: field.name,
    hasDeclaredType: validator(field.output),
    isNamedIfNull: mayBeMissing(field),
    isNamedIfUnreadable: isNamedIfMissing(field)
  }))

  return (row: UserRow) => {
    const values: Record<string, unknown> = {}
    const missing: string[] = []
    for (const { name, hasDeclaredType, isNamedIfNull, isNamedIfUnreadable } of readers) {
      const stored = valueOf(row, name) ?? null
      const isReadable = stored === null || hasDeclaredType(stored)
      values[name] = isReadable ? stored : null
      if (isReadable ? stored === null && isNamedIfNull : isNamedIfUnreadable) missing.push(name)
    }
    return { values, missing }
  }
}

// The columns of the user fields follow from the app's options: their names are known only at run time.
export const valueOf = (row: object, name: string) => (row as Record<string, unknown>)[name]
