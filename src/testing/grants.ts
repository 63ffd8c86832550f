/** The codes and access tokens of the test provider (RFC 6749, RFC 7636). */
import { createHash, randomUUID } from 'node:crypto'

/** The claims of a person (OpenID Connect Core §5.1). */
export interface TestPerson {
  sub: string
  email?: string
  email_verified?: boolean
  given_name?: string
  family_name?: string
  [claim: string]: unknown
}

interface Client {
  clientId: string
  clientSecret: string
}

interface Login {
  person: TestPerson
  redirectUri: string
  challenge: string
  nonce: string | undefined
}

/** A refusal, with the error code of RFC 6749. */
export interface Refused {
  error: string
  error_description: string
}

export function createGrants ({ clientId, clientSecret }: Client) {
  const logins = new Map<string, Login>()
  const people = new Map<string, TestPerson>()

  /** The redirect that answers an authorization request. Throws an Error that says what is wrong with the request. */
  function authorize (request: URLSearchParams, person: TestPerson, issuer: string): string {
    check('client_id', request.get('client_id') === clientId)
    check('response_type: only code is supported', request.get('response_type') === 'code')
    check('code_challenge_method: PKCE with S256 is required', request.get('code_challenge_method') === 'S256')
    const code = randomUUID()
    const redirectUri = request.get('redirect_uri') ?? ''
    const challenge = request.get('code_challenge') ?? ''
    logins.set(code, { person, redirectUri, challenge, nonce: request.get('nonce') ?? undefined })
    const redirect = new URL(redirectUri)
    redirect.searchParams.set('code', code)
    redirect.searchParams.set('state', request.get('state') ?? '')
    redirect.searchParams.set('iss', issuer)
    return redirect.href
  }

  /** What a token request gets for its code, which works once. */
  function exchange (form: URLSearchParams, authorization: string): Login & { accessToken: string } | Refused {
    if (!isClient(form, authorization)) return refused('invalid_client', 'the client secret is wrong')
    if (form.get('grant_type') !== 'authorization_code') {
      return refused('unsupported_grant_type', 'only authorization_code is supported')
    }
    const login = logins.get(form.get('code') ?? '')
    logins.delete(form.get('code') ?? '')
    if (!login) return refused('invalid_grant', 'the code is unknown or used')
    if (login.redirectUri !== form.get('redirect_uri')) return refused('invalid_grant', 'the redirect_uri differs')
    const verifier = form.get('code_verifier') ?? ''
    const isProven = createHash('sha256').update(verifier).digest('base64url') === login.challenge
    if (!isProven) return refused('invalid_grant', 'the code_verifier does not match')
    const accessToken = randomUUID()
    people.set(accessToken, login.person)
    return { ...login, accessToken }
  }

  /** By HTTP Basic or in the form (RFC 6749 §2.3.1). */
  function isClient (form: URLSearchParams, authorization: string): boolean {
    const basic = Buffer.from(authorization.replace(/^Basic /i, ''), 'base64').toString()
    const [id, secret] = basic.includes(':')
      ? basic.split(':').map(decodeURIComponent)
      : [form.get('client_id'), form.get('client_secret')]
    return id === clientId && secret === clientSecret
  }

  /** The person who got this access token; undefined for an unknown one. */
  const personOf = (authorization: string) => people.get(authorization.replace(/^Bearer /i, ''))

  return { authorize, exchange, personOf }
}

const refused = (error: string, description: string): Refused => ({ error, error_description: description })

function check (rule: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`the test provider refuses the authorization request: ${rule}`)
}
