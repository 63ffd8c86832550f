/**
 * Logging in with a provider in the browser, from page to page:
 *
 *   GET  /:provider/login      to the provider
 *   GET  /:provider/callback   and back from it
 */
import { Type } from '@sinclair/typebox'
import { page } from './route.js'
import { operationOf, type ProviderShape, type SocialShape } from './social-login.js'
import { TokensRef } from './token-pair.js'

export const socialRedirectRoutes = (shape: SocialShape, provider: ProviderShape) => {
  const failed = 'Not logged in: the page says why.'
  const atEnd = shape.cookie === undefined
    ? 'On to `next` or `urls.socialLogin`, with `#provider=…&login_code=…` to post, or `?error=…`.'
    : 'On to `next` or `urls.socialLogin`, with the cookies set, or with `?error=…`.'
  return {
    start: {
      ...page(shape, {
        operationId: operationOf('startSocialLogin', provider),
        summary: `Send the browser to ${provider.label}`,
        description:
          'A page to open, not to fetch: a script (Swagger UI, too) can not follow it to another origin. Where another site sent the browser here, it shows a button first.',
        tag: 'Social',
        answers: {
          200: 'A page with a button.',
          303: `On to ${provider.label}.`,
          400: '`next` is not where a login may end.',
          500: failed,
          502: failed,
          503: failed
        }
      }),
      querystring: Type.Object({
        next: Type.Optional(
          Type.String({
            maxLength: 2000,
            description:
              'Where the login ends: a path of this origin, or an address whose origin is in `urls.next`. Default: `urls.socialLogin`.',
            examples: ['/']
          })
        )
      })
    },
    callback: withTokens(shape, page(shape, {
      operationId: operationOf('socialCallback', provider),
      summary: `Where ${provider.label} sends the browser back to`,
      description: 'Not for clients. Good once, within ten minutes, in the browser that started.',
      tag: 'Social',
      answers: {
        200:
          shape.cookie === undefined
            ? 'The tokens, as at login, where the app names no place to end.'
            : 'Logged in, where the app names no place to end.',
        303: atEnd,
        ...Object.fromEntries([400, 403, 500, 502, 503].map(status => [status, failed]))
      }
    }))
  }
}

/** Where tokens travel in bodies, an app that names no place to end gets them at once. */
function withTokens <Route extends { response: Record<string, object> }> ({ cookie, ...shape }: SocialShape, route: Route): Route {
  if (cookie !== undefined) return route
  return {
    ...route,
    response: {
      ...route.response,
      200: { ...route.response[200], content: { 'application/json': { schema: TokensRef(shape) } } }
    }
  }
}
