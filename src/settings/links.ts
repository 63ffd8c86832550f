/** Links in mails and pages. They use no part of a request: clients control its Host header (host header poisoning). */
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { Settings } from './types.js'

export interface Links {
  publicUrl: () => string
  /** Of the plugin's routes, including the host's prefix. */
  path: string
  emailConfirmation: (key: string) => string
  passwordReset: (uid: string, token: string) => string
  /** `urls.login` as an absolute URL; undefined if the app did not set it. */
  login: () => string | undefined
  /** `urls.socialLogin`, where a login by redirect ends, as an absolute URL; undefined if the app did not set it. */
  socialLogin: () => string | undefined
}

/** `publicUrl` is called for each link, because in development the address is unknown until the app listens. */
export function createLinks ({ urls }: Pick<Settings, 'urls'>, path: string, publicUrl: () => string): Links {
  const absolute = (address: string | undefined) =>
    address?.startsWith('/') ? `${new URL(publicUrl()).origin}${address}` : address
  return {
    publicUrl,
    path,
    emailConfirmation: key =>
      fill(urls.emailConfirmation ?? `${publicUrl()}${path}/registration/account-confirm-email/{key}`, { key }),
    passwordReset: (uid, token) =>
      fill(urls.passwordReset ?? `${publicUrl()}${path}/password/reset/confirm/{uid}/{token}`, { uid, token }),
    login: () => absolute(urls.login),
    socialLogin: () => absolute(urls.socialLogin)
  }
}

const fill = (template: string, values: Record<string, string>): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    values[name] === undefined ? whole : encodeURIComponent(values[name])
  )

/** In development, the address that the server listens on; loopback and wildcard addresses become `localhost`. */
export function listenedOn (server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) return 'http://localhost'
  const host = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address.address) ? 'localhost' : address.address
  return `${server instanceof TlsServer ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
