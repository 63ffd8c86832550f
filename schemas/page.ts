/** `page()` turns a description of a page into the schema that Fastify documents: HTML, which nothing validates. */
import { Type } from '@sinclair/typebox'
import type { ContractShape } from './common.js'
import { failures } from './error-responses.js'
import type { LimitedActionName } from './limited-actions.js'
import { everyRoute } from './route-failures.js'
import { operationIdOf, pathParameters } from './route.js'

export interface PageDescription {
  operationId: string
  summary: string
  description: string
  tag: string
  /** What each parameter of the path is, in a sentence. */
  params?: Record<string, string>
  /** What each status means, in a sentence. */
  answers: Record<number, string>
  /** The action whose limits hold for this page. */
  limit?: LimitedActionName
}

/** A page for the browser: returns HTML, except for failures that no page shows. */
export function page (
  shape: ContractShape,
  { operationId, summary, description, tag, params, answers, limit }: PageDescription
) {
  const coded = failures(shape, {
    operationId,
    codes: [...everyRoute, ...(limit && shape.limited?.has(limit) ? ['too_many_requests'] as const : [])]
  })
  return {
    operationId: operationIdOf(shape, operationId),
    summary,
    description,
    tags: [tag],
    security: [],
    ...pathParameters(params),
    response: {
      ...coded,
      ...Object.fromEntries(
        Object.entries(answers).map(([status, meaning]) => [
          status,
          status.startsWith('3') ? redirect(meaning) : html(meaning, coded[status])
        ])
      )
    }
  }
}

const redirect = (description: string) => ({
  description,
  type: 'null',
  headers: { Location: { type: 'string', format: 'uri-reference', description: 'Where the browser goes next.' } }
})

const html = (description: string, coded?: { description: string, content: object }) => ({
  ...coded,
  description: coded ? `An HTML page: ${description} Or a problem document: ${coded.description}` : description,
  content: { 'text/html': { schema: Type.String() }, ...coded?.content }
})
