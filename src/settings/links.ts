/**
 * Where the links of mails and pages lead: to the app's own pages where `urls` names them, else to ours, below
 * `publicUrl`. Nothing of a request has a say in it (host header poisoning).
 */
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { Settings } from './types.js'

export interface Links {
  publicUrl: () => string
  /** Of our routes, the host's prefix included. */
  path: string
  emailConfirmation: (key: string) => string
  passwordReset: (uid: string, token: string) => string
  /** Absolute; undefined where the app named none. */
  login: () => string | undefined
  /** Where a login by redirect ends; likewise. */
  socialLogin: () => string | undefined
}

/** `path` is that of our routes; `publicUrl` is asked each time, because in development it is known only once the app listens. */
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

/** In development, the address that the server listens on; what it listens on everywhere is reached as localhost. */
export function listenedOn (server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || address === null) return 'http://localhost'
  const host = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address.address) ? 'localhost' : address.address
  return `${server instanceof TlsServer ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
