/** The options `tokens.cookies` and `tokens.csrf`. */
import { Type } from '@sinclair/typebox'

const closed = { additionalProperties: false }
// It names the security scheme in the OpenAPI document too, which knows fewer characters than a cookie.
const CookieName = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9._-]+$', maxLength: 128, title: 'a name such as my-app-auth', description })

export const CookieOptions = Type.Object({
  access: Type.Optional(
    CookieName(
      'Name of the cookie that holds the access token. Default `__Host-access`; `__Secure-access` with a `domain` or `path`, `access` without `secure`.'
    )
  ),
  refresh: Type.Optional(CookieName('Name of the cookie that holds the refresh token. Default alike.')),
  secure: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether the cookies go over https (and to localhost) only. Production insists.'
    })
  ),
  sameSite: Type.Optional(
    Type.Union([Type.Literal('strict'), Type.Literal('lax'), Type.Literal('none')], {
      default: 'strict',
      description:
        "Whether other sites' pages send them: `strict`: never, `lax`: when they link here, `none`: always; needs `secure` and `tokens.csrf`."
    })
  ),
  domain: Type.Optional(
    Type.String({
      pattern: '^\\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$',
      maxLength: 253,
      title: 'a host name such as app.example',
      description: 'The host that gets them, and every host below it. Default: the one that set them, alone.'
    })
  ),
  path: Type.Optional(
    Type.String({
      pattern: '^/[!-:<-~]*$',
      maxLength: 1024,
      title: 'a path such as /',
      default: '/',
      description: 'The path they are sent below; routes of your own elsewhere do not get them.'
    })
  )
}, closed)

export const CsrfOption = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        origins: Type.Optional(
          Type.Array(
            Type.String({
              pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$',
              title: 'an origin such as https://app.example'
            }),
            {
              default: [],
              description: 'Origins of front ends that are served from elsewhere: `https://app.example`.'
            }
          )
        )
      },
      closed
    )
  ],
  {
    default: true,
    description:
      'Whether requests that the cookies authenticate have to show that a page of yours sent them: see docs/cookies.md.'
  }
)
