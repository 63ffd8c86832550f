/** Checks the mail server, by connecting and logging in, and the sender. */
import { parseSender } from '../../lib/mail-address.js'
import { openTransport } from '../../mail/transport.js'
import type { Settings } from '../../settings/types.js'
import type { Check } from './check.js'

const name = 'mail'

export async function checkMailServer ({ mail: { transport: option } }: Settings): Promise<Check[]> {
  if (option === 'console') return [{ name, status: 'ok', message: "the transport 'console' prints the mails" }]
  const transport = await openTransport(option)
  try {
    return [await transport.verify()
      ? { name, status: 'ok', message: 'the mail server accepts the connection and the login' }
      : { name, status: 'skipped', message: 'could not check: the transport has no server to connect to' }]
  } finally {
    await transport.close()
  }
}

/** The domain that mails come from; undefined if none is configured. */
export function senderDomain ({ mail: { from }, site: { domain }, publicUrl }: Settings): string | undefined {
  if (from !== undefined) return parseSender(from).address.split('@')[1]
  const host = domain ?? (publicUrl && new URL(publicUrl).host)
  return host && new URL(`http://${host}`).hostname
}
