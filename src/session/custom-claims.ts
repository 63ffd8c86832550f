/** Claims of the app's own: `tokens.claims` computes them from the user each time an access token is made. */
import type { Settings } from '../settings/types.js'
import type { BaseUser } from '../types.js'

// RFC 7519 §4.1, RFC 9068 §2.2, RFC 7800 §3.1, and what belongs into the header: these say who is let in, and how.
const reserved = new Set([
  'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'client_id', 'auth_time', 'acr', 'amr', 'cnf', 'act',
  'may_act', 'typ', 'alg', 'kid', 'crit'
])

/** Throws an Error where the answer is no object, or names a claim of ours. */
export async function customClaims (compute: Settings['tokens']['claims'], user: BaseUser & Record<string, unknown>): Promise<Record<string, unknown>> {
  const claims = await compute?.(user) ?? {}
  if (typeof claims !== 'object' || Array.isArray(claims)) { throw new Error('fastify-rest-auth: tokens.claims: must answer with an object') }
  const taken = Object.keys(claims).find(name => reserved.has(name))
  if (taken !== undefined) { throw new Error(`fastify-rest-auth: tokens.claims: ${taken} is set by the plugin; choose another name`) }
  return { ...claims }
}
