/** Tokens in bodies and the Authorization header. */
import { tokensInHeader, type AuthorizationHeader } from './authorization-header.js'
import { deviceInHeader } from './device-transport.js'
import { bodyOf } from './issued-tokens.js'
import type { TokenTransport } from './token-transport.js'

export const createBodyTransport = ({ readToken }: AuthorizationHeader): TokenTransport => ({
  readAccessToken: readToken,
  readRefreshToken: (_request, { refresh }) => refresh || undefined,
  presentedTokens: (request, { refresh }) => [...tokensInHeader(request), ...refresh ? [refresh] : []],
  replacedToken: () => undefined,
  send: (_reply, tokens) => bodyOf(tokens),
  ...deviceInHeader,
  clear: () => {},
  clearOtherScopes: () => {},
  checkCsrf: () => {},
  vary: 'Authorization'
})
