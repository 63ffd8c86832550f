/**
 * How failures are documented: one response per status, which lists the codes that this route can return there and no
 * others. So a generated client's `switch` over `code` is complete when the compiler says so.
 */
import type { TSchema } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { drfComponents, drfContent } from './error-responses-drf.js'
import { problemComponents, problemContent } from './error-responses-problem.js'
import { errors, type AnswerCode, type FieldCode } from './errors.js'

/** The components that all failures share: named types for a client's own helpers, and the list of all codes. */
export const failureComponents = (shape: ContractShape): TSchema[] =>
  shape.errors === 'drf' ? drfComponents(shape) : problemComponents(shape)

/** The failures of a route: one response per status, each with the codes it may carry. */
export function failures (
  shape: ContractShape,
  codes: readonly AnswerCode[],
  fieldCodes: readonly FieldCode[],
  body?: TSchema
) {
  const statuses = [...new Set(codes.map(code => errors[code].status))].sort((a, b) => a - b)
  const exampleField = Object.keys(body?.properties ?? {})[0]
  return Object.fromEntries(statuses.map(status => {
    const own = codes.filter(code => errors[code].status === status)
    const content = shape.errors === 'drf'
      ? drfContent(shape, own)
      : problemContent(shape, own, status === 400 ? fieldCodes : [], exampleField)
    return [status, { description: own.map(code => `\`${code}\``).join(', '), ...headers[status], content }]
  }))
}

const headers: Record<number, { headers: Record<string, object> }> = {
  401: {
    headers: {
      'WWW-Authenticate': {
        type: 'string',
        description: 'The `Bearer` challenge, which says what is wrong with the token (RFC 6750).'
      }
    }
  },
  503: { headers: { 'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' } } }
}
