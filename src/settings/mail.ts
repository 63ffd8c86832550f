/** The checks of `mail`. */
import { reservedVariables } from '../../schemas/mail.js'
import { parseSender } from '../lib/mail-address.js'
import { orRefuse, refuseOption } from '../lib/refuse-option.js'
import type { Settings } from './types.js'

export function checkMail ({ transport, from, variables = {} }: Settings['mail'], production: boolean): void {
  if (transport === 'console' && production) {
    refuseOption(
      "mail.transport: 'console' is not allowed in production, because it prints links that open accounts; " +
      'set an SMTP URL such as smtps://user:password@smtp.example'
    )
  }
  if (from !== undefined) orRefuse(() => parseSender(from), message => `mail.from: ${message}`)
  for (const name of Object.keys(variables)) {
    const option = `mail.variables.${name}`
    if (reservedVariables.has(name)) refuseOption(`${option}: the name is reserved by the plugin; choose another`)
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      refuseOption(`${option}: the name must contain only letters, digits and _, and must not start with a digit`)
    }
  }
}
