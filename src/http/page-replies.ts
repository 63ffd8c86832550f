/** How a route sends an HTML page, and keeps a token in its URL out of the log. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Page } from '../pages/frame.js'

/** For routes whose address holds a token: it stays out of the log, and stands for the request's good faith. */
export const tokenInUrl = {
  config: { skipCsrf: true },
  logSerializers: {
    req: ({ method, routeOptions, ip }: FastifyRequest) => ({ method, url: routeOptions.url, remoteAddress: ip })
  }
}

export const sendPage = (reply: FastifyReply, status: number, { html, headers }: Page): FastifyReply =>
  reply.code(status).headers(headers).send(html)
