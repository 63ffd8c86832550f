/** The app's claims: `tokens.claims` computes them from the user for every new access token. */
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'

// RFC 7519 §4.1, RFC 9068 §2.2, RFC 7800 §3.1 and header parameters: these decide who is let in and how.
const reserved = new Set([
  'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'client_id', 'auth_time', 'acr', 'amr', 'cnf', 'act',
  'may_act', 'typ', 'alg', 'kid', 'crit'
])

/** Throws an Error if `compute` does not return an object, or returns a claim that the plugin sets. */
export async function customClaims (
  compute: Settings['tokens']['claims'],
  user: BaseUser & Record<string, unknown>
): Promise<Record<string, unknown>> {
  const claims = await compute?.(user) ?? {}
  if (typeof claims !== 'object' || Array.isArray(claims)) throw claimsError('must return an object')
  const taken = Object.keys(claims).find(name => reserved.has(name))
  if (taken !== undefined) throw claimsError(`${taken} is set by the plugin; choose another name`)
  return { ...claims }
}

const claimsError = (problem: string) => new Error(`fastify-rest-auth: tokens.claims: ${problem}`)
