/**
 * A NestJS app on Fastify. `AuthModule` registers the plugin, `AuthGuard` protects the routes of a controller.
 *
 *   npx tsx --conditions=fastify-rest-auth:source examples/nestjs/app.ts
 */
import 'reflect-metadata'
import { pathToFileURL } from 'node:url'
import { type DynamicModule, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyServerOptions } from 'fastify'
import { defineRestAuth } from 'fastify-rest-auth'
import { AuthModule } from './auth.module.js'
import { MeController } from './me.controller.js'

export const auth = defineRestAuth({ database: 'auth.sqlite', account: { emailVerification: 'none' } })

@Module({ controllers: [MeController] })
export class AppModule {
  static with (options: object): DynamicModule {
    return { module: AppModule, imports: [AuthModule.forRoot(options)] }
  }
}

/** Builds the app without listening. `overrides` replace options: the tests use another database. */
export async function buildApp (overrides: object = {}, server: FastifyServerOptions = {}) {
  const module = AppModule.with({ ...auth, ...overrides })
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(server))
  return await app.init()
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // The plugin logs with Fastify's logger, which is off by default in NestJS.
  const app = await buildApp({}, { logger: { level: 'warn' } })
  await app.listen(3000)
  console.log('Swagger UI: http://localhost:3000/docs')
}
