import type { FastifyInstance } from 'fastify'

export default async function notes (fastify: FastifyInstance) {
  fastify.get('/', async request => ({ notes: [`of ${request.user.email}`] }))
}
