import type { FastifyInstance } from 'fastify'
import { authenticate } from 'fastify-rest-auth'

export default async function me (fastify: FastifyInstance) {
  fastify.get('/', { onRequest: authenticate }, async request => ({ hello: request.user.email }))
}
