/** Checks the address of the app, and hints at the proxy in front of it. */
import type { Settings } from '../../settings/types.js'
import { readProxies } from '../serve/address.js'
import type { Check } from './check.js'

export function checkPublicUrl ({ publicUrl }: Settings): Check[] {
  if (publicUrl === undefined) {
    const message = 'not set; links in mails begin with the address listened on'
    return [{ name: 'publicUrl', status: 'warning', message }]
  }
  const isSecure = publicUrl.startsWith('https:')
  return [isSecure
    ? { name: 'publicUrl', status: 'ok', message: publicUrl }
    : { name: 'publicUrl', status: 'warning', message: `${publicUrl} is not https, so passwords travel unencrypted` }]
}

/** `proxies` is the variable TRUST_PROXY. Only `serve` reads it: a module is of an app that makes its own Fastify. */
export function checkProxy ({ publicUrl = '' }: Settings, proxies: string | undefined, isApp: boolean): Check[] {
  const name = 'trustProxy'
  if (isApp) {
    const message = 'could not check: behind a proxy, your app must tell Fastify its addresses (docs/limits.md)'
    return [{ name, status: 'skipped', message }]
  }
  if (readProxies(proxies ?? '') !== false) return [{ name, status: 'ok', message: 'TRUST_PROXY is set' }]
  return publicUrl.startsWith('https:')
    ? [{ name, status: 'warning', message: 'set TRUST_PROXY to the addresses of the proxy that ends TLS' }]
    : []
}
