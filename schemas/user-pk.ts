/** The `pk` of a user in responses. */
import { Type } from '@sinclair/typebox'

const description = 'Permanent ID of the user.'

export const Pk = (kind: 'string' | 'integer' = 'string') => kind === 'integer'
  ? Type.Integer({ format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description, examples: [42] })
  : Type.String({ description, examples: ['019391f2-8c5e-7b11-9a54-0c4f8a7d2e61'] })
