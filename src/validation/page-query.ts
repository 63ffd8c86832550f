/** Reads the query of a list that a client reads some items at a time. */
import type { FastifyRequest } from 'fastify'
import { maxPage, PageQuery } from '../../schemas/paging.js'
import { createBodyValidator, type CheckBody } from './body-validator.js'
import { FormBody } from './form-body.js'

export interface Page {
  limit: number
  /** The ID of the item after which to read on. */
  after: string | undefined
}

// Made with the first query: an app starts sooner, and most never get one.
let check: CheckBody | undefined

/** Throws a `validation_error` failure for an invalid query. A query is text, like a form. */
export function readPage ({ query }: FastifyRequest): Page {
  // Of a repeated parameter, Fastify's parser makes a list, and a parser of the app may make anything.
  const fields = Object.entries<unknown>(Object(query))
    .map(([name, value]): [string, string] =>
      [name, [value].flat().filter(one => typeof one === 'string').at(-1) ?? ''])
  check ??= createBodyValidator()(PageQuery)
  const result = check(new FormBody(new URLSearchParams(fields)))
  if ('error' in result) throw result.error
  const { limit = maxPage, after } = result.value as Partial<Page>
  return { limit, after }
}
