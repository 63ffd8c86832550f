/** How a client reads a long list: some at a time, newest first. */
import { Type } from '@sinclair/typebox'

export const maxPage = 100

/** The query of a list. To read on, a client passes the ID of the last item as `after`. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({
    minimum: 1, maximum: maxPage, default: maxPage, description: 'The most items to return.', examples: [maxPage]
  })),
  after: Type.Optional(Type.String({
    pattern: '^[\\da-fA-F]{8}(-[\\da-fA-F]{4}){3}-[\\da-fA-F]{12}$',
    description: 'The ID of the last item that you have: the list goes on after it.'
  }))
})
