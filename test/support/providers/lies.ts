/** Lies of a provider, and answers that break the standards: each is a named change of the true answer. */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import type { SigningKey } from './keys.js'

/** A token response before the ID token is signed, and the answer of userinfo. */
export interface Telling {
  claims: Record<string, unknown>
  header: object
  signature: 'own' | 'stranger' | 'none' | 'hmac' | 'broken'
  /** The members of the token response; an `id_token` here replaces the signed one. */
  answer: Record<string, unknown>
  userinfo: Record<string, unknown>
}

type Change = (telling: Telling) => void

/** Changes of claims. */
const claim = (claims: Record<string, unknown>): Change => telling => { Object.assign(telling.claims, claims) }
const later = (claim: string, seconds: number): Change =>
  ({ claims }) => { claims[claim] = Number(claims.iat) + seconds }
const signed = (signature: Telling['signature'], header = {}): Change =>
  telling => { Object.assign(telling, { signature, header }) }
const answered = (answer: Record<string, unknown>): Change => telling => { Object.assign(telling.answer, answer) }
const informed = (userinfo: Record<string, unknown>): Change => telling => { Object.assign(telling.userinfo, userinfo) }
/** Changes of claims in the ID token and in userinfo. */
const told = (claims: Record<string, unknown>): Change =>
  telling => { for (const place of [telling.claims, telling.userinfo]) Object.assign(place, claims) }

/** Lies in an ID token: a client that believes one of these lets an attacker in. */
const idToken = {
  'signed by another key': signed('stranger'),
  'signed by the key it brings': signed('stranger', { kid: undefined, jwk: 'stranger' }),
  'signed by a key that nobody knows': signed('stranger', { kid: 'unknown' }),
  'signed by the public key': signed('hmac'),
  'signed by nobody': signed('none'),
  'changed after it was signed': signed('broken'),
  'another issuer': claim({ iss: 'https://evil.example' }),
  'an issuer with a slash': telling => { telling.claims.iss = `${telling.claims.iss}/` },
  'no issuer': claim({ iss: undefined }),
  'another audience': claim({ aud: 'another-app' }),
  'several audiences without us': claim({ aud: ['another-app', 'a-third'] }),
  'several audiences, used by another': telling => {
    Object.assign(telling.claims, { aud: [telling.claims.aud, 'another-app'], azp: 'another-app' })
  },
  'used by another': claim({ azp: 'another-app' }),
  'no audience': claim({ aud: undefined }),
  expired: later('exp', -3600),
  'no end': claim({ exp: undefined }),
  'an end that is no number': claim({ exp: 'tomorrow' }),
  'an end that no calendar knows': claim({ exp: 1e13 }),
  'issued tomorrow': later('iat', 86_400),
  'no beginning': claim({ iat: undefined }),
  'not valid yet': later('nbf', 3600),
  'another nonce': claim({ nonce: 'another-nonce' }),
  'no nonce': claim({ nonce: undefined }),
  'the hash of another access token': claim({ at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }),
  'no subject': told({ sub: undefined }),
  'an empty subject': told({ sub: '' }),
  'a subject that is a number': told({ sub: 7 }),
  'a subject that is a list': told({ sub: ['alice'] })
} satisfies Record<string, Change>

/** Lies in the token response around the ID token. */
const answer = {
  'no ID token': answered({ id_token: undefined }),
  'an ID token that is none': answered({ id_token: 'none' }),
  'an ID token that is a number': answered({ id_token: 7 }),
  'a MAC token': answered({ token_type: 'mac' }),
  'no token type': answered({ token_type: undefined }),
  'no access token': answered({ access_token: undefined }),
  'an access token that is a number': answered({ access_token: 7 }),
  'an access token of two lines': answered({ access_token: 'at-alice\r\nx-injected: 1' }),
  'an error with 200': telling => { telling.answer = { id_token: undefined, error: 'invalid_grant' } }
} satisfies Record<string, Change>

/** Lies of userinfo, which is only requested if the ID token has no address. */
const userinfo = {
  'userinfo of another': telling => { forgetEmail(telling); informed({ sub: 'mallory' })(telling) },
  'userinfo of nobody': telling => { forgetEmail(telling); informed({ sub: undefined })(telling) }
} satisfies Record<string, Change>

/** Lies about the address: the login is not refused, but the address cannot be relied on. */
const email = {
  'no address': told({ email: undefined, email_verified: undefined }),
  'an address that is null': told({ email: null }),
  'an address that nobody has verified': told({ email_verified: false }),
  'an address of which nothing is said': told({ email_verified: undefined }),
  'an address that is verified in words': told({ email_verified: 'true' }),
  'an address that is none': told({ email: 'not an address' }),
  'two addresses': told({ email: 'alice@example.com,mallory@evil.example' }),
  'a list of addresses': told({ email: ['alice@example.com'] }),
  'an address of two lines': told({ email: 'alice@example.com\r\nBcc: mallory@evil.example' }),
  'an endless address': told({ email: `${'a'.repeat(100_000)}@example.com` })
} satisfies Record<string, Change>

const lies: Record<string, Change> = { ...idToken, ...answer, ...userinfo, ...email }

/** The names of the lies, to be set as `lie`. */
export const idTokenLies = Object.keys(idToken) as Array<keyof typeof idToken>
export const answerLies = Object.keys(answer) as Array<keyof typeof answer>
export const userinfoLies = Object.keys(userinfo) as Array<keyof typeof userinfo>
export const emailLies = Object.keys(email) as Array<keyof typeof email>
export type Lie = keyof typeof idToken | keyof typeof answer | keyof typeof userinfo | keyof typeof email

export function lieBy (lie: Lie | undefined, telling: Telling): Telling {
  if (lie !== undefined) lies[lie]?.(telling)
  return telling
}

function forgetEmail ({ claims }: Telling): void {
  delete claims.email
  delete claims.email_verified
}

/** The ID token of a telling, signed as its `signature` says. */
export async function signTelling (
  { claims, header, signature }: Telling, own: SigningKey, stranger: SigningKey
): Promise<string> {
  const payload = claims as JWTPayload
  if (signature === 'none') return new UnsecuredJWT(payload).encode()
  if (signature === 'hmac') {
    const publicKey = createPublicKey({ key: own.publicJwk as JsonWebKey, format: 'jwk' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    return await new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: own.kid }).sign(Buffer.from(pem))
  }
  if (signature === 'stranger') {
    const jwk = 'jwk' in header && { jwk: stranger.publicJwk }
    return await stranger.sign(payload, { kid: own.kid, ...header, ...jwk })
  }
  const token = await own.sign(payload, header)
  if (signature === 'own') return token
  const [head, , mac] = token.split('.')
  return [head, Buffer.from(JSON.stringify({ ...claims, sub: 'mallory' })).toString('base64url'), mac].join('.')
}
