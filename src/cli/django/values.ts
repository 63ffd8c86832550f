/** Turns Django's values, read as text, into those that the contract describes. */
import { acceptsBlank } from '../../../schemas/blank-text.js'
import type { ColumnKind, FieldSpec } from '../../../schemas/user-fields.js'
import { jsonOrText } from '../../lib/json-or-text.js'
import { isTrue } from './source.js'

const kinds: Record<ColumnKind, (text: string) => unknown> = {
  text: text => text,
  decimal: text => text,
  integer: text => /^-?\d+$/.test(text) ? Number(text) : text,
  real: text => Number.isFinite(Number(text)) ? Number(text) : text,
  boolean: text => isTrue(text) || (/^(0|f|false)$/.test(text) ? false : text),
  json: jsonOrText
}

/** A value that is not of the field's kind stays text, which the check of the user then refuses. */
export function fieldValue ({ kind, input }: FieldSpec, text: string | null | undefined): unknown {
  if (text === null || text === undefined) return null
  // Django's text columns have '' for what a user has not given.
  if (text.trim() === '' && !acceptsBlank(input)) return null
  return input.format === 'date-time' ? timeOf(text) : kinds[kind](text)
}

/** `2024-02-13 20:30:57.984130`, in UTC, as ISO 8601. Null stays null. Other text is returned unchanged. */
export function timeOf (text: string | null | undefined): string | null {
  const [, date, time, fraction = '.000'] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00(?::?00)?)?$/.exec(text ?? '') ?? []
  return date === undefined ? text ?? null : `${date}T${time}${fraction.slice(0, 4).padEnd(4, '0')}Z`
}

/** SQLite has no type for the UUID of a `UUIDField`: Django stores its 32 digits there, and shows it with hyphens. */
export const keyOf = (key: string, type: string | undefined): string =>
  type === 'char(32)' && /^[\da-f]{32}$/.test(key)
    ? key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : key
