/** Shows browsers what went wrong with a social login: on the app's own page if there is one, else on ours. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { redactQueryError } from '../db/errors.js'
import { toFailure } from '../errors/failure.js'
import { sendPage } from '../http/page-replies.js'
import type { SocialClient } from '../oauth/types.js'
import type { PageFrame } from '../pages/card.js'
import { socialFailedPage } from '../pages/social-redirect.js'

interface ErrorPageOptions {
  pageFrame: () => PageFrame
  startUrl: (client: SocialClient) => string
}

interface Visit {
  client: SocialClient
  request: FastifyRequest
  reply: FastifyReply
  /** The app's page that shows errors; undefined: our error page does. */
  end?: string | undefined
}

export function createErrorPage ({ pageFrame, startUrl }: ErrorPageOptions) {
  /** Runs a handler. Turns what it throws into a redirect or a page; rethrows only what the error handler must see. */
  return async function withErrorPage ({ client, request, reply, end }: Visit, handler: () => Promise<unknown>) {
    try {
      return await handler()
    } catch (error) {
      const known = toFailure(error, request)
      if (!known) throw error
      if (known.statusCode >= 500 && !known.isLogged) {
        request.log.error({ err: redactQueryError(error) }, 'social login failed')
      }
      if (end !== undefined) return await reply.redirect(withError(end, known.code), 303)
      const { code, headers, statusCode, fields: [wrong], message } = known
      const { label } = client.settings
      reply.headers(headers)
      return sendPage(
        reply,
        statusCode,
        socialFailedPage(pageFrame(), { label, code, message: wrong?.message ?? message, retryUrl: startUrl(client) })
      )
    }
  }
}

function withError (address: string, code: string): string {
  const url = new URL(address)
  url.searchParams.set('error', code)
  return url.href
}
