/** What is logged when two parties seem to have one refresh token. */
import type { FastifyRequest } from 'fastify'
import type { SessionRow } from '../db/tables.js'
import { clientOf } from './client.js'

export function logReuse (request: FastifyRequest, { id, userPk }: SessionRow): void {
  request.log.error(
    { event: 'token_reuse', sessionId: id, userPk },
    'a refresh token was used again: its session has ended'
  )
}

/**
 * Another client than the one before used a token within the grace period, so many times in this session. Once may be a
 * phone that changed networks; a thief who stays within the grace period does it again and again.
 */
export function logGraceUse (request: FastifyRequest, { id, userPk }: SessionRow, times: number): void {
  if (times < 2) return
  request.log.warn(
    { event: 'token_shared', sessionId: id, userPk, times, ...clientOf(request) },
    'several clients use the refresh tokens of one session'
  )
}
