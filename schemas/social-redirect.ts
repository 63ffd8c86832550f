/**
 * Social login by redirects in the browser:
 *
 *   GET  /:provider/login      redirects to the provider
 *   GET  /:provider/callback   handles the redirect back
 */
import { Type } from '@sinclair/typebox'
import { page } from './page.js'
import { operationOf, type ProviderShape, type SocialShape } from './social-login.js'
import { setsCookies, TokensRef } from './token-pair.js'

const Next = Type.String({
  maxLength: 2000,
  description: 'Where the login ends: a path of this origin, or a URL whose origin is in `urls.next`. Default: ' +
    '`urls.socialLogin`.',
  examples: ['/']
})

const failing = (statuses: number[]) =>
  Object.fromEntries(statuses.map(status => [status, 'The login failed; the page says why.']))

export const socialRedirectRoutes = (shape: SocialShape, provider: ProviderShape) => {
  const atEnd = setsCookies(shape)
    ? 'Redirects to `next` or `urls.socialLogin`, with the cookies set or with `?error=…`.'
    : 'Redirects to `next` or `urls.socialLogin`, with `#provider=…&login_code=…` to post or with `?error=…`.'
  return {
    start: {
      ...page(shape, {
        operationId: operationOf('startSocialLogin', provider),
        summary: `Send the browser to ${provider.label}`,
        description: 'Open this URL in a browser. Scripts (including Swagger UI) cannot follow the redirect to ' +
          'another origin. A navigation from another site gets a page with a button first.',
        tag: 'Social',
        limit: 'socialStart',
        answers: {
          200: 'A page with a button that continues to the provider.',
          303: `Redirects to ${provider.label}.`,
          400: '`next` is not an allowed address.',
          ...failing(shape.limited?.has('socialStart') ? [429, 500, 502, 503] : [500, 502, 503])
        }
      }),
      querystring: Type.Object({ next: Type.Optional(Next) })
    },
    callback: withTokens(shape, page(shape, {
      operationId: operationOf('socialCallback', provider),
      summary: `Handle the redirect back from ${provider.label}`,
      description: 'Not for clients. Works once, within ten minutes, in the browser that started the login.',
      tag: 'Social',
      limit: 'socialCallback',
      answers: {
        200:
          setsCookies(shape)
            ? 'The user is logged in, and the app configures no page where the login ends.'
            : 'The tokens, as at login, if the app configures no page where the login ends.',
        303: atEnd,
        ...failing([400, 403, ...(shape.limited?.has('socialCallback') ? [429] : []), 500, 502, 503])
      }
    }))
  }
}

/** If tokens travel in bodies and the app configures no page where the login ends, the callback returns the tokens. */
function withTokens<Route extends { response: Record<string, object> }> (
  shape: SocialShape,
  route: Route
): Route {
  if (setsCookies(shape)) return route
  return {
    ...route,
    response: {
      ...route.response,
      200: { ...route.response[200], content: { 'application/json': { schema: TokensRef(shape) } } }
    }
  }
}
