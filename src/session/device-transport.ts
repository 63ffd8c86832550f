/** How the token of a trusted device travels: in a header, or in a cookie for pages. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookie, setCookie, type CookieAttributes } from '../lib/cookies.js'
import type { TokenTransport } from './token-transport.js'
import { deviceTokenSeconds } from './trusted-devices.js'

type DeviceTransport = Pick<TokenTransport, 'readDeviceToken' | 'sendDeviceToken'>

const header = 'device-token'

export const deviceInHeader: DeviceTransport = {
  readDeviceToken: ({ headers }) => headers[header]?.toString(),
  sendDeviceToken: (reply, token) => { reply.header(header, token) }
}

/** `isApp`: whether the client of a request gets its tokens without cookies. */
export const createDeviceInCookie = (
  name: string, attributes: CookieAttributes, isApp: (request: FastifyRequest) => boolean
): DeviceTransport => ({
  readDeviceToken: request =>
    isApp(request) ? deviceInHeader.readDeviceToken(request) : readCookie(request, name),
  sendDeviceToken (reply: FastifyReply, token) {
    if (isApp(reply.request)) deviceInHeader.sendDeviceToken(reply, token)
    else setCookie(reply, name, token, deviceTokenSeconds, attributes)
  }
})
