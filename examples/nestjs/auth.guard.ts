import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { authenticate, requireUser } from 'fastify-rest-auth'

/** Lets logged-in users in: `@UseGuards(AuthGuard)`. */
@Injectable()
export class AuthGuard implements CanActivate {
  protected readonly hook = authenticate

  async canActivate (context: ExecutionContext): Promise<boolean> {
    await this.hook(context.switchToHttp().getRequest<FastifyRequest>())
    return true
  }
}

/** Lets users in who entered their password in the last five minutes. */
@Injectable()
export class RecentAuthGuard extends AuthGuard {
  protected override readonly hook = requireUser({ maxAge: 300 })
}
