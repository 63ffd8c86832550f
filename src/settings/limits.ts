/** The option `limits`: its rules become numbers, and the default rules fill the gaps. */
import { limitedActions, resendRule, type LimitedActionName, type LimitKey } from '../../schemas/limited-actions.js'
import type { CheckedOptions } from '../../schemas/options.js'

export interface Limit {
  /** As in the options: `5/5m/account`. */
  rule: string
  /** How many attempts are allowed in `seconds`. */
  quota: number
  seconds: number
  by: LimitKey
}

export interface LimitSettings {
  /** A `redis://` URL, a client of ioredis, or undefined: the database. */
  store: string | object | undefined
  /** Only the actions that are limited. */
  actions: ReadonlyMap<LimitedActionName, readonly Limit[]>
  /** How many wrong passwords in a row close the login with a password; undefined: none do. */
  lockout: number | undefined
}

// NIST SP 800-63B-4 §3.2.2.
const mostFailures = 100

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

/** `resendInterval`: the seconds after which a mailbox may get a confirmation mail again. */
export function resolveLimits (given: CheckedOptions['limits'] = {}, resendInterval: number): LimitSettings {
  if (given === false) return { store: undefined, actions: new Map(), lockout: undefined }
  // `Object.keys` forgets the type of a literal's keys.
  const names = Object.keys(limitedActions) as LimitedActionName[]
  const actions = names.map(name => {
    const rules = given[name] ?? limitedActions[name].rules.map(rule =>
      rule === resendRule ? `1/${resendInterval}s/mailbox` : rule)
    return [name, (rules || []).map(toLimit)] as const
  })
  const { store, lockout = mostFailures } = given
  return {
    store,
    actions: new Map(actions.filter(([, limits]) => limits.length > 0)),
    lockout: lockout === false ? undefined : lockout
  }
}

/** The schema of the options has checked the form of the rule. */
function toLimit (rule: string): Limit {
  const [quota, time = '', by] = rule.split('/')
  const seconds = Number.parseInt(time) * (units[time.slice(-1)] ?? 0)
  return { rule, quota: Number(quota), seconds, by: by as LimitKey }
}
