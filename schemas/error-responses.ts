/**
 * How failures are documented: one response per status, which lists the codes that this route can return there and no
 * others. So a generated client's `switch` over `code` is complete when the compiler says so.
 */
import type { TSchema } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { drfComponents, drfContent } from './error-responses-drf.js'
import { problemComponents, problemContent } from './error-responses-problem.js'
import { answerCodes, errors } from './errors.js'
import type { RouteFailures } from './route-failures.js'

/** The components that all failures share: named types for a client's own helpers, and the list of all codes. */
export const failureComponents = (shape: ContractShape): TSchema[] =>
  shape.errors === 'drf' ? drfComponents(shape) : problemComponents(shape)

/** The failures of a route: one response per status, each with the codes it may carry. */
export function failures (shape: ContractShape, route: RouteFailures) {
  const statuses = [...new Set(route.codes.map(code => errors[code].status))].sort((a, b) => a - b)
  const contentOf = shape.errors === 'drf' ? drfContent : problemContent
  return Object.fromEntries(statuses.map(status => {
    const codes = answerCodes.filter(code => errors[code].status === status && route.codes.includes(code))
    const content = contentOf(shape, status, { ...route, codes })
    return [status, { description: codes.map(code => `\`${code}\``).join(', '), ...headers[status], content }]
  }))
}

const retryAfter = { 'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' } }

const headers: Record<number, { headers: Record<string, object> }> = {
  401: {
    headers: {
      'WWW-Authenticate': {
        type: 'string',
        description: 'The `Bearer` challenge, which says what is wrong with the token (RFC 6750).'
      }
    }
  },
  429: {
    headers: {
      ...retryAfter,
      'RateLimit-Policy': {
        type: 'string',
        description: 'The limit that is reached, such as `"login";q=5;w=300`: at most 5 attempts in 300 seconds.'
      },
      RateLimit: {
        type: 'string',
        description: 'How many attempts remain, and for how many seconds, such as `"login";r=0;t=212`.'
      }
    }
  },
  503: { headers: retryAfter }
}
