/** The passwords that attackers try first: about 49,000, from the leaks that zxcvbn collects. */
import { onDemand } from './on-demand.js'

// Loaded with the first password that is checked, so that an app starts sooner.
const readCommon = onDemand(async () => {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
})

// The longest password that dj-rest-auth lets users set, so leaked ones are rarely longer.
const maxRepeated = 128

/** Whether the password as a whole is on the list, ignoring case (NIST SP 800-63B-4 §3.1.1.2), or one character. */
export async function isCommonPassword (password: string): Promise<boolean> {
  const text = password.normalize('NFC').toLowerCase().trim()
  return (await readCommon()).has(text) || (new Set(text).size <= 1 && [...password].length <= maxRepeated)
}
