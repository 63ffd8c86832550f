/** How a route sends an HTML page, and keeps a token in its URL out of the log. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Page } from '../pages/frame.js'

/**
 * For routes with a token in the URL: logs the route's pattern instead of the URL, and skips the CSRF check, because
 * the token proves intent.
 */
export const tokenInUrl = {
  config: { skipCsrf: true },
  logSerializers: {
    req: ({ method, routeOptions, ip }: FastifyRequest) => ({ method, url: routeOptions.url, remoteAddress: ip })
  }
}

export const sendPage = (reply: FastifyReply, status: number, { html, headers }: Page): FastifyReply =>
  reply.code(status).headers(headers).send(html)
