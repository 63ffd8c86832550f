/** From where a request comes, as far as a server can tell. */
import bowser from 'bowser'
import type { FastifyRequest } from 'fastify'
import { hashToken } from './secrets.js'

export const clientOf = ({ ip, headers }: FastifyRequest) => ({
  // With trustProxy it is a header's text, of any length. It is undefined on a Unix socket and after the client has
  // hung up, which Fastify's type does not say.
  ip: (ip as string | undefined)?.slice(0, 64) ?? null,
  userAgent: headers['user-agent']?.slice(0, 512) ?? null
})

/** The same for two requests of one client, in the same place. */
export const clientKeyOf = (request: FastifyRequest): string =>
  hashToken(JSON.stringify(Object.values(clientOf(request))))

/** The client in words for a mail, such as `Firefox on Windows`; a part that is not known is missing. */
export function describeClient (request: FastifyRequest): { ip?: string, device?: string } {
  const { ip, userAgent } = clientOf(request)
  // It throws for an empty text.
  const { browser, os } = userAgent ? bowser.parse(userAgent) : { browser: {}, os: {} }
  const device = [browser.name, os.name].filter(name => name !== undefined && name !== '').join(' on ')
  return { ...(ip !== null && { ip }), ...(device !== '' && { device }) }
}
