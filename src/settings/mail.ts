/** The checks of `mail`. */
import { ownVariables } from '../../schemas/mail.js'
import { parseSender } from '../lib/mail-address.js'
import { refuse } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkMail ({ transport, from, variables = {} }: Settings['mail'], production: boolean): void {
  if (transport === 'console' && production) refuse("mail.transport: 'console' would print links that open accounts; give an SMTP URL such as smtps://user:password@smtp.example")
  if (from !== undefined) parseSender(from)
  for (const name of Object.keys(variables)) {
    if (ownVariables.has(name)) refuse(`mail.variables.${name}: the name is taken by the plugin; choose another`)
    if (!/^[A-Za-z_]\w*$/.test(name)) refuse(`mail.variables.${name}: use letters, digits and _, no digit first`)
  }
}
