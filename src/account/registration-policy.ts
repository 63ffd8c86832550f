/** Who may have an account, as the option `account.registration` says. */
import type { FastifyRequest } from 'fastify'
import { Failure, failure } from '../errors/failure.js'
import type { Settings } from '../settings/types.js'

/** Throws `registration_closed` for whom the app does not want. */
export async function checkMayRegister (rule: Settings['account']['registration'], request: FastifyRequest): Promise<void> {
  const verdict = typeof rule === 'function' ? await rule(request) : rule === 'open'
  if (verdict === false) throw failure('registration_closed')
  if (typeof verdict === 'string') throw new Failure('registration_closed', { message: verdict })
}
