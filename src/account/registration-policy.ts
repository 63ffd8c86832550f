/** Who may register: the option `account.registration`. */
import type { FastifyRequest } from 'fastify'
import { Failure, failure } from '../errors/failure.js'
import type { Settings } from '../settings/types.js'

type RegistrationRule = Settings['account']['registration']

/** Throws `registration_closed`, with the app's message if it gives one, unless this request may register. */
export async function checkMayRegister (rule: RegistrationRule, request: FastifyRequest): Promise<void> {
  const verdict = typeof rule === 'function' ? await rule(request) : rule === 'open'
  if (verdict === false) throw failure('registration_closed')
  if (typeof verdict === 'string') throw new Failure('registration_closed', { message: verdict })
}
