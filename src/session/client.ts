/** From where a request comes, as far as a server can tell. */
import type { FastifyRequest } from 'fastify'
import { hashToken } from '../lib/secrets.js'

export const clientOf = ({ ip, headers }: FastifyRequest) => ({
  // With trustProxy it is a header's text, of any length. It is undefined on a Unix socket and after the client has
  // hung up, which Fastify's type does not say.
  ip: (ip as string | undefined)?.slice(0, 64) ?? null,
  userAgent: headers['user-agent']?.slice(0, 512) ?? null
})

/** The same for two requests of one client, in the same place. */
export const clientKeyOf = (request: FastifyRequest): string =>
  hashToken(JSON.stringify(Object.values(clientOf(request))))
