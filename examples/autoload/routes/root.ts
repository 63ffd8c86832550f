import type { FastifyInstance } from 'fastify'

export default async function root (fastify: FastifyInstance) {
  fastify.get('/', async () => ({ root: true }))
}
