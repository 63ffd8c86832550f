/** Which fields a user may lack, and what then follows for `missing_fields` and `/user`. */
import type { FieldSpec } from './user-fields.js'

/** Whether users may lack a required field: those from before it was declared, or whose provider can't supply it. */
export const mayBeMissing = (field: FieldSpec): boolean => field.required

/** Whether users may provide the field if it is missing, but not change it afterwards. */
export const isWriteOnce = (field: FieldSpec): boolean => mayBeMissing(field) && field.userDetails !== 'editable'

/**
 * Whether a response may name the field in `missing_fields`: one that users must give, or that they see and whose
 * stored values may not have the declared type. Every stored text is a text.
 */
export const isNamedIfMissing = (field: FieldSpec): boolean =>
  mayBeMissing(field) || (field.userDetails !== 'hidden' && !isPlainText(field))

const isPlainText = ({ kind, choices, output }: FieldSpec) => kind === 'text' && !choices && !output.format

/** Whether clients may set the field; the others are those of the app's own code. */
export const isSetByClients = ({ registration, userDetails }: FieldSpec): boolean =>
  registration !== 'hidden' || userDetails === 'editable'
