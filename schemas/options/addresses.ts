/** The options `urls` and `site`. */
import { Type } from '@sinclair/typebox'
import { Group, Text } from './builders.js'

export const UrlOptions = Group({
  login: Text(
    'Your login page: a URL, or a path such as `/login`. Mails link to it, and the built-in pages lead there.'
  ),
  socialLogin: Text(
    'Where a social login ends, unless it was started with `next`: a URL or a path. If tokens travel in bodies, it ' +
    'gets `#provider=…&login_code=…`, to be posted for tokens; after a failure, `?error=…`.'
  ),
  next: Type.Array(Text(), {
    default: [],
    description: 'Where `next` may lead besides paths of `publicUrl`: origins of your front ends, such as ' +
      '`https://app.example`.'
  }),
  emailConfirmation: Text(
    'Your own page for the link that confirms an address. It must contain `{key}`. Default: a built-in page.'
  ),
  passwordReset: Text(
    'Your own page for the link that resets a password. It must contain `{uid}` and `{token}`. ' +
    'Default: a built-in page.'
  )
}, 'Pages of your front end that mails and redirects lead to.')

export const SiteOptions = Group({
  name: Text('Name of the app in mails and pages: `{{ site_name }}`. Default: the host of `publicUrl`.'),
  domain: Type.String({
    minLength: 1,
    pattern: '^[A-Za-z0-9.:\\[\\]-]+$',
    title: 'a host name such as app.example',
    description: 'Domain of the app in mails: `{{ site_domain }}`. Default: the host of `publicUrl`.'
  })
}, 'What the app is called in mails and pages.')
