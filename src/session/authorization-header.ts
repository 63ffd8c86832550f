/** Tokens in the Authorization header (RFC 6750 §2.1). */
import type { FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import type { Settings } from '../settings/types.js'

export interface AuthorizationHeader {
  /** Undefined for another scheme, as in Django REST framework. Throws `bad_authorization_header`. */
  readToken: (request: FastifyRequest) => string | undefined
  /** Whether there is a header of our scheme. */
  isOurs: (request: FastifyRequest) => boolean
  /** Whether the request has no header, or one without a token: `Bearer undefined`, `Bearer null`, `Bearer`. */
  isMissing: (request: FastifyRequest) => boolean
}

/** RFC 9110 §11.1: the scheme is case-insensitive. Clients of Django's keys send `Token`. */
const schemes = { jwt: ['bearer'], opaque: ['bearer', 'token'] }

export function createAuthorizationHeader ({ format }: Pick<Settings['tokens'], 'format'>): AuthorizationHeader {
  const ours = new Set(schemes[format])

  function readToken (request: FastifyRequest): string | undefined {
    const [scheme = '', token, ...rest] = partsOf(request)
    if (!ours.has(scheme.toLowerCase())) return undefined
    if (!token || rest.length > 0) throw failure('bad_authorization_header')
    return token
  }

  function isMissing (request: FastifyRequest): boolean {
    const [scheme = '', token = '', ...rest] = partsOf(request)
    return scheme === '' ||
      (ours.has(scheme.toLowerCase()) && rest.length === 0 && ['', 'undefined', 'null'].includes(token))
  }

  const isOurs = (request: FastifyRequest): boolean =>
    ours.has(partsOf(request)[0]?.toLowerCase() ?? '') && !isMissing(request)

  return { readToken, isOurs, isMissing }
}

const partsOf = ({ headers }: FastifyRequest): string[] => (headers.authorization ?? '').trim().split(' ')

/** At most: each is looked up. */
export const maxPresented = 4

/** Also without `Bearer`, or behind another scheme: a logout must not report success without looking at a token. */
export const tokensInHeader = ({ headers }: FastifyRequest): string[] =>
  (headers.authorization?.match(/[\w-]+(?:\.[\w-]+)*/g) ?? [])
    .filter(part => part.length >= minTokenLength).slice(-maxPresented)
// 256 bits in base64url; an access token is longer.
const minTokenLength = 43
