import type { FastifyInstance } from 'fastify'
import { authenticate } from 'fastify-rest-auth'

/** Protects every route in this folder. */
export default async function protect (fastify: FastifyInstance) {
  fastify.addHook('onRequest', authenticate)
}
