/** Which issuer and subject a social account of allauth has here. */
import { providers } from '../../providers/built-in.js'
import type { SocialSettings } from '../../settings/types.js'
import type { Source } from './source.js'
import type { DjangoTables } from './tables.js'

/** Of `socialaccount_socialapp`. */
interface SocialApp {
  provider: string
  /** Set with allauth's `openid_connect`: the name under which its accounts are stored. */
  id: string
  settings: Record<string, unknown>
}

type Origin = { provider: string, issuer: string } | { problem: string }
export type OriginOf = (djangoProvider: string) => Origin

/**
 * Where allauth's `uid` is the subject that a login here returns, and there is only one issuer. GitHub and GitLab may
 * be a company's own server, whose address is in Django's settings and not in its database.
 */
const fixed = ['google', 'facebook', 'discord', 'apple'] as const
/** Built-in providers for which allauth stored another identifier: of Microsoft Graph, and of LinkedIn's former API. */
const otherSubjects = ['microsoft', 'linkedin']

/** `social` are the configured providers. */
export function createOriginOf (social: readonly SocialSettings[], apps: readonly SocialApp[]): OriginOf {
  const named = (name: string) => social.find(option => option.name === name)

  function ofOpenidConnect ({ settings: { server_url: url, uid_field: uid = 'sub' } }: SocialApp): Origin {
    if (uid !== 'sub') return { problem: `its uid is the claim ${String(uid)}, not sub` }
    const option = social.find(({ provider }) => isSameIssuer(provider.issuer, url))
    return option
      ? { provider: option.name, issuer: option.provider.issuer }
      : { problem: `no provider in the option social has the issuer ${String(url)}` }
  }

  function ofNamed (name: string): Origin {
    if (otherSubjects.includes(name)) return { problem: 'its uid is not what identifies the user here' }
    const known = fixed.find(one => one === name)
    const issuer = named(name)?.provider.issuer ?? (known && providers[known].issuer)
    if (issuer === undefined) return { problem: `the option social has no provider ${name}` }
    const url = apps.find(({ provider }) => provider === name)?.settings.gitlab_url
    if (url !== undefined && !isSameIssuer(issuer, url)) {
      return { problem: `social.${name} has the issuer ${issuer}, and Django has ${String(url)}` }
    }
    return { provider: name, issuer }
  }

  return djangoProvider => {
    const app = apps.find(({ provider, id }) => provider === 'openid_connect' && id === djangoProvider)
    return app ? ofOpenidConnect(app) : ofNamed(djangoProvider)
  }
}

/** allauth also takes the address of the metadata, and does not mind a slash at the end. */
const isSameIssuer = (issuer: string, url: unknown): boolean => {
  const plain = (text: string) => text.replace(/\/\.well-known\/openid-configuration$/, '').replace(/\/$/, '')
  return typeof url === 'string' && plain(url) === plain(issuer)
}

/** Older versions of allauth have neither `provider_id` nor `settings`, nor `openid_connect`. */
export async function readSocialApps (source: Source, { socialApps: table }: DjangoTables): Promise<SocialApp[]> {
  if (!table?.columns.has('provider_id') || !table.columns.has('settings')) return []
  const rows = await source.read('SELECT provider, provider_id, settings FROM socialaccount_socialapp ORDER BY id')
  return rows.map(({ provider, provider_id: id, settings }) => ({
    provider: String(provider), id: String(id), settings: Object(JSON.parse(settings ?? '{}'))
  }))
}
