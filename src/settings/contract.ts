/** The contract that the settings ask for. */
import { createContract, type Contract } from '../../schemas/index.js'
import { authenticatingCookie, deliveriesOf } from './cookies.js'
import type { Settings } from './types.js'

/** `name` is the prefix of the names of components and operations. */
export function contractOf (settings: Settings, name: string): Contract {
  const {
    account, fields, unstoredFields, computedFields, errors, password, tokens, cookies, csrf, social, limits, audit
  } = settings
  return createContract({
    ...account,
    fields,
    unstoredFields,
    computedFields,
    errors,
    requireOldPassword: password.requireOld,
    format: tokens.format,
    deliveries: deliveriesOf(cookies),
    cookie: authenticatingCookie(cookies),
    csrf: csrf !== undefined,
    rotates: tokens.refresh.rotate,
    limited: new Set(limits.actions.keys()),
    audit: audit.isOn,
    name,
    social: social.length > 0
  })
}
