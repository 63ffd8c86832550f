/** An error as the one line that a command prints. */
import { redactQueryError } from '../db/errors.js'
import { Failure } from '../errors/failure.js'

export function lineOf (error: unknown): string {
  const known = error instanceof Failure ? ofFailure(error) : redactQueryError(error)
  const message = known instanceof Error ? known.message : String(known)
  return message.trim().replace(/\s*\n\s*/g, ' ')
}

/** The fields that are invalid, or what the message for strangers leaves out. */
function ofFailure ({ message, fields, cause }: Failure): unknown {
  if (fields.length > 0) return fields.map(({ field, message }) => `${field}: ${message}`).join(' ')
  return cause ?? message
}
