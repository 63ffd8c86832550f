/** The checks of `mail`. */
import { reservedVariables } from '../../schemas/mail.js'
import { parseSender } from '../lib/mail-address.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkMail ({ transport, from, variables = {} }: Settings['mail'], production: boolean): void {
  if (transport === 'console' && production) {
    refuseOption(
      "mail.transport: 'console' would print links that open accounts; give an SMTP URL such as smtps://user:password@smtp.example"
    )
  }
  if (from !== undefined) parseSender(from)
  for (const name of Object.keys(variables)) {
    if (reservedVariables.has(name)) { refuseOption(`mail.variables.${name}: the name is taken by the plugin; choose another`) }
    if (!/^[A-Za-z_]\w*$/.test(name)) refuseOption(`mail.variables.${name}: use letters, digits and _, no digit first`)
  }
}
