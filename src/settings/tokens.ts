/** The cross-checks of `tokens`. */
import type { CheckedOptions } from '../../schemas/options.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

const longAccess = 'fastify-rest-auth: tokens.access is over an hour: after a logout or a deactivation, routes with ' +
  'stateless: true and services that verify access tokens themselves accept the token until it expires'

// The use of a key is recorded once a minute, so a shorter time would end sessions that are in use.
const shortestIdleOfKey = 300

/** Throws an Error that names the option for the first combination that cannot work; `given` has no defaults. */
export function checkTokens (
  { format, access, refresh }: Settings['tokens'],
  given: CheckedOptions['tokens'],
  warn: (message: string) => void
): void {
  if (refresh.idle > refresh.absolute) {
    refuseOption('tokens.refresh.idle: must not exceed tokens.refresh.absolute, after which the session ends')
  }
  if (format === 'opaque') checkOpaque(given, refresh.idle)
  else if (access > 3600) warn(longAccess)
}

function checkOpaque ({ refresh = {}, ...tokens }: NonNullable<CheckedOptions['tokens']> = {}, idle: number): void {
  const ofPairs = {
    algorithm: tokens.algorithm,
    keys: tokens.keys,
    claims: tokens.claims,
    access: tokens.access,
    'refresh.rotate': refresh.rotate,
    refreshGrace: tokens.refreshGrace
  }
  for (const [option, value] of Object.entries(ofPairs)) {
    if (value !== undefined) {
      refuseOption(`tokens.${option}: has no effect when tokens.format is 'opaque'; leave it out`)
    }
  }
  if (idle < shortestIdleOfKey) {
    refuseOption(`tokens.refresh.idle: must be at least ${shortestIdleOfKey} when tokens.format is 'opaque'`)
  }
}
