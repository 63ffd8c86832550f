import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { Failure } from 'fastify-rest-auth'

/** Sends what a guard threw as the plugin's own routes do, with their body and `WWW-Authenticate`. */
@Catch(Failure)
export class FailureFilter implements ExceptionFilter<Failure> {
  catch (failure: Failure, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    reply.server.restAuth.sendFailure(reply, failure)
  }
}
