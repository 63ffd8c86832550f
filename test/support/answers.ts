/** Reads what a test needs from an answer or a mail: a code, a link, a key, a token. */
import type { LightMyRequestResponse } from 'fastify'
import type { CaughtMail } from './mail-server.js'

type Mail = Pick<CaughtMail, 'text'> | undefined

/** Status and error code of an answer: `409 taken`. */
export const codeOf = (answer: LightMyRequestResponse): string => `${answer.statusCode} ${answer.json().code}`

/** The first URL in a mail's text; '' if it has none. */
export const linkIn = (mail: Mail): string => /https?:\S+/.exec(mail?.text ?? '')?.[0] ?? ''

/** The key in the link of a verification mail; '' if the mail is of another kind. */
export const keyIn = (mail: Mail): string => /confirm-email\/([\w-]{43})(?![\w-])/.exec(mail?.text ?? '')?.[1] ?? ''

/** The `uid` and `token` in the link of a password reset mail; both '' if the mail is of another kind. */
export function uidAndTokenIn (mail: Mail): { uid: string, token: string } {
  const [, uid = '', token = ''] = /reset\/confirm\/([^/\s]+)\/([\w-]{43})(?![\w-])/.exec(mail?.text ?? '') ?? []
  return { uid, token }
}

/** The schema of the body that an OpenAPI document describes for `/auth/…`. Its type is not known: it is JSON. */
export function bodySchemaIn (document: object, path: string, method: string): any {
  const { paths, components } = document as any
  const { $ref } = paths[path][method].requestBody.content['application/json'].schema
  return components.schemas[$ref.replace('#/components/schemas/', '')]
}
