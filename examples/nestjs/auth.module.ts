import { type DynamicModule, Inject, Module, type NestModule } from '@nestjs/common'
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core'
import type { FastifyAdapter } from '@nestjs/platform-fastify'
import restAuth from 'fastify-rest-auth'
import { FailureFilter } from './failure.filter.js'

const OPTIONS = Symbol('the options of fastify-rest-auth')

@Module({ providers: [{ provide: APP_FILTER, useClass: FailureFilter }] })
export class AuthModule implements NestModule {
  readonly #host: HttpAdapterHost<FastifyAdapter>
  readonly #options: object

  constructor (@Inject(HttpAdapterHost) host: HttpAdapterHost<FastifyAdapter>, @Inject(OPTIONS) options: object) {
    this.#host = host
    this.#options = options
  }

  static forRoot (options: object): DynamicModule {
    return { module: AuthModule, providers: [{ provide: OPTIONS, useValue: options }] }
  }

  /** Nest calls and awaits this before it adds the routes of the controllers, also in a testing module. */
  async configure (): Promise<void> {
    await this.#host.httpAdapter.getInstance().register(restAuth, this.#options)
  }
}
