/** Authorization codes of the test providers: single-use, and bound to client, redirect URI and PKCE verifier. */
import { createHash, randomBytes } from 'node:crypto'
import type { ProviderClock, RecordedRequest } from './server.js'

export interface Authorization {
  clientId: string
  redirectUri: string
  person: string
  scopes: string[]
  nonce: string | undefined
}

interface Code extends Authorization {
  challenge: string | undefined
  issued: Date
  used: boolean
}

export type CodeFault = 'unknown' | 'used' | 'expired' | 'redirect_uri' | 'verifier'

export interface Codes {
  issue: (request: RecordedRequest, person: string, redirectUri: string) => string
  /** The authorization of a code, or why it is refused. Some providers let clients omit `redirect_uri`. */
  redeem: (form: Record<string, string>, redirectUriRequired: boolean) => Authorization | CodeFault
}

export function createCodes (provider: { clock: ProviderClock }, lifetimeSeconds: number): Codes {
  const codes = new Map<string, Code>()
  return {
    issue: ({ query }, person, redirectUri) => {
      const code = randomBytes(20).toString('hex')
      codes.set(code, {
        clientId: query.client_id ?? '',
        redirectUri,
        person,
        scopes: (query.scope ?? '').split(/[ ,]+/).filter(Boolean),
        nonce: query.nonce,
        challenge: query.code_challenge,
        issued: provider.clock.now,
        used: false
      })
      return code
    },
    redeem: ({ code = '', client_id, redirect_uri, code_verifier = '' }, redirectUriRequired) => {
      const found = codes.get(code)
      if (!found || found.clientId !== client_id) return 'unknown'
      if (found.used) return 'used'
      if (provider.clock.now.getTime() - found.issued.getTime() > lifetimeSeconds * 1000) return 'expired'
      if (redirect_uri === undefined ? redirectUriRequired : redirect_uri !== found.redirectUri) return 'redirect_uri'
      const challenge = createHash('sha256').update(code_verifier).digest('base64url')
      if (found.challenge !== undefined && challenge !== found.challenge) return 'verifier'
      found.used = true
      return found
    }
  }
}

/** The person of an access token, and the client it was issued to. */
export interface IssuedToken {
  clientId: string
  person: string
  scopes: string[]
}

/** The token of an Authorization header with one of these schemes. */
export const bearerOf = ({ headers }: RecordedRequest, ...schemes: string[]): string | undefined => {
  const [scheme = '', token] = headers.authorization?.split(' ') ?? []
  return schemes.includes(scheme.toLowerCase()) ? token : undefined
}

export const basicOf = ({ headers }: RecordedRequest): string | undefined =>
  headers.authorization && Buffer.from(headers.authorization.replace(/^basic /i, ''), 'base64').toString()
