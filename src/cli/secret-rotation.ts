/** `fastify-rest-auth secret --rotate`: the list of secrets to put in place, and when the old one can go. */
import { mintToken } from '../lib/secrets.js'
import { describeDuration } from '../lib/time.js'
import { deviceTokenSeconds } from '../session/trusted-devices.js'
import type { Settings } from '../settings/types.js'
import type { Outcome } from './command.js'
import { settingsOf } from './database.js'
import { withOptions } from './load-options.js'

/** `path`: of the module with the options; undefined for AUTH_SECRET. Throws an Error if no secret is set. */
export const rotateSecret = async (path: string | undefined): Promise<Outcome> =>
  await withOptions('secret', { options: path }, async options => {
    if (!('secret' in options) || options.secret === undefined) {
      const where = path ?? 'the environment, as AUTH_SECRET'
      throw new Error(`secret: --rotate needs the current secret, and there is none in ${where}`)
    }
    const settings = settingsOf(options)
    const secrets = [mintToken(), ...settings.secrets]
    // Nothing but stdout shows a secret: stderr may end in a log.
    return {
      text: path === undefined ? secrets.join(',') : JSON.stringify(secrets),
      data: { secret: secrets, removeAfterSeconds: lifetimeOf(settings) },
      note: instructions(settings, path)
    }
  }, { existing: false })

/** How long what the secret has signed, or derived, is needed: access tokens, and answers to repeated refreshes. */
const lifetimeOf = ({ tokens: { format, algorithm, access, refreshGrace } }: Settings): number =>
  format === 'opaque' ? 0 : Math.max(algorithm === 'HS256' ? access : 0, refreshGrace)

function instructions (settings: Settings, path: string | undefined): string {
  const seconds = lifetimeOf(settings)
  const wait = seconds < 60 ? `${seconds} seconds` : describeDuration(Math.ceil(seconds / 60) * 60)
  const place = path === undefined
    ? 'Set AUTH_SECRET to this line. In your own code, write secret: process.env.AUTH_SECRET?.split(\',\').'
    : 'Set the option secret to this list: the first secret signs, the others still verify.'
  const devices = 'Devices that users have logged in at are known by it for up to ' +
    `${describeDuration(deviceTokenSeconds)}; without it, they are known again after the next login.`
  const stored = settings.social.some(({ storeTokens }) => storeTokens)
    ? 'Stored tokens of providers are encrypted with it: without it, there are none until the user logs in again.'
    : undefined
  return [
    'With several servers, first set the list with the new secret at its end, on all of them: then each knows it.',
    place,
    `Once all servers have it, wait for ${wait}; then all but the first can go.`,
    devices,
    stored
  ].filter(line => line !== undefined).join('\n')
}
