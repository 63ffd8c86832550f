/** Swagger UI in development: the page to try the routes in. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { authenticatingCookie } from '../settings/cookies.js'
import type { Settings } from '../settings/types.js'
import { swaggerUiTheme } from './swagger-ui-theme.js'

export async function addSwaggerUi (app: FastifyInstance, settings: Settings, docs: string): Promise<void> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await app.register(swaggerUi, {
    routePrefix: docs,
    // Relative to the page, because a proxy may strip a path and the app may register us below one.
    indexPrefix: docs.replace(/^\/[^/]+/, '.').replace(/\/[^/]+/g, '/..').replace(/^\.\//, ''),
    uiHooks: { onRequest: createRedirects(docs) },
    // Omits the top bar, which offers to load other documents, and whose logo needs an inline style.
    uiConfig: {
      layout: 'BaseLayout',
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0
    },
    theme: swaggerUiTheme,
    staticCSP: true,
    // The default upgrades every request to https, which breaks the page on plain http, and allows foreign images.
    transformStaticCSP: csp => csp.replace(' upgrade-insecure-requests;', '').replace(' validator.swagger.io', ''),
    transformSpecification: document => forTrying(document, settings, app.prefix)
  })
}

/** Swagger UI takes `/docs/?…` for a page without a trailing slash, and sends `/docs/static/index.html` to the root. */
const createRedirects = (docs: string) => async function redirect ({ url }: FastifyRequest, reply: FastifyReply) {
  const [path = '', query] = url.split('?')
  if (path.endsWith(`${docs}/static/index.html`)) return await reply.redirect('../')
  if (query !== undefined && path.replace(/\/$/, '').endsWith(docs)) {
    return await reply.redirect(path.endsWith('/') ? './' : path.slice(path.lastIndexOf('/') + 1))
  }
}

const hintFor = ({ cookies, tokens: { format } }: Settings) => authenticatingCookie(cookies) !== undefined
  ? 'To try it out, register or log in; the browser keeps the cookies.'
  : 'To try it out, register or log in, press **Authorize** and paste the ' +
    `${format === 'opaque' ? '`key`' : '`access` token'} from the response.`

/** “Execute” must call the server of this page: `publicUrl` may be another origin, so only its path is kept. */
function forTrying ({ servers, ...document }: Record<string, any>, settings: Settings, prefix: string) {
  const path = (settings.publicUrl ?? '').replace(/^https?:\/\/[^/]+/, '')
  const description = [document.info.description, hintFor(settings), pagesOf(settings, `${path}${prefix}`)].join('\n\n')
  return { ...document, ...(path && { servers: [{ url: path }] }), info: { ...document.info, description } }
}

/** The pages for the browser, which “Execute” cannot open. */
function pagesOf ({ mailViewer, prefix, social }: Settings, base: string): string {
  return [
    ...(mailViewer === false ? [] : [`- [Mail](${base}${mailViewer}): what this server has sent, with its links`]),
    ...social.map(({ name, label }) => `- [Log in with ${label}](${base}${prefix}/${name}/login)`),
    '- The pages that confirm an address and ask for a new password open from the links in mails.'
  ].join('\n')
}
