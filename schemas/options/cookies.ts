/** The options `tokens.cookies` and `tokens.csrf`. */
import { Type } from '@sinclair/typebox'
import { Choice, Group } from './builders.js'

// The name is also that of the security scheme in the OpenAPI document, which allows fewer characters than a cookie.
const CookieName = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9._-]+$', maxLength: 128, title: 'a name such as my-app-auth', description })

export const CookieOptions = Group({
  access: Type.Union([Type.Literal(false), CookieName('')], {
    description: 'Name of the cookie with the access token. Default: `__Host-access`; `__Secure-access` with a ' +
      '`domain` or `path`; `access` without `secure`. `false`: the access token is in the response body, and only ' +
      'the refresh token in a cookie. With `tokens.format: \'opaque\'`: name of the only cookie; default: with `key` ' +
      'in it.'
  }),
  refresh: CookieName('Name of the cookie with the refresh token. Default: as for `access`, with `refresh` in it.'),
  apps: Choice(['cookies', 'body'], {
    default: 'cookies',
    description: 'How clients get their tokens that are no page in a browser, such as an app on a phone: `body`: a ' +
      'request without `Sec-Fetch-Site`, `Origin` and `Cookie` gets them in the response body; pages get cookies only.'
  }),
  secure: Type.Boolean({
    default: true,
    description: 'Send the cookies only over https (and to localhost). Must be `true` in production.'
  }),
  sameSite: Choice(['strict', 'lax', 'none'], {
    default: 'strict',
    description: 'Whether the cookies are sent with requests from other sites: `strict`: never; `lax`: when a link ' +
      'is followed; `none`: always (needs `secure` and `tokens.csrf`).'
  }),
  partitioned: Type.Boolean({
    default: false,
    description: 'Keep the cookies apart for each site that embeds your pages in a frame (CHIPS), so that browsers ' +
      'that block third-party cookies send them there. Needs `sameSite: \'none\'`.'
  }),
  domain: Type.String({
    pattern: '^\\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$',
    maxLength: 253,
    title: 'a host name such as app.example',
    description: 'Host that receives the cookies, along with all its subdomains. Default: only the host that set them.'
  }),
  path: Type.String({
    pattern: '^/[!-:<-~]*$',
    maxLength: 1024,
    title: 'a path such as /',
    default: '/',
    description: 'Path below which the cookies are sent. Your own routes elsewhere do not receive them.'
  })
})

const Origin = Type.String({
  pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$', title: 'an origin such as https://app.example'
})

export const CsrfOption = Type.Union([
  Type.Boolean(),
  Group({
    origins: Type.Array(Origin, {
      default: [],
      description: 'Origins of front ends that are served from elsewhere, such as `https://app.example`.'
    })
  })
], {
  default: true,
  description: 'Protect against cross-site request forgery: requests that cookies authenticate must come from one ' +
    'of your own pages. See docs/cookies.md.'
})
