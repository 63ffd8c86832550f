import { Controller, createParamDecorator, Delete, type ExecutionContext, Get, Req, UseGuards } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { User } from 'fastify-rest-auth'
import { AuthGuard, RecentAuthGuard } from './auth.guard.js'

const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().user
)

@Controller('me')
export class MeController {
  @Get()
  @UseGuards(AuthGuard)
  greet (@CurrentUser() user: User) {
    return { hello: user.email }
  }

  @Delete()
  @UseGuards(RecentAuthGuard)
  async delete (@Req() { user, server }: FastifyRequest) {
    return { deleted: await server.restAuth.users.delete(user.pk) }
  }
}
