/** The passwords that attackers try first: about 49,000, from the leaks that zxcvbn collects. */
import { dictionary } from '@zxcvbn-ts/language-common'

const common = new Set(dictionary['passwords-common'])

// The longest password that dj-rest-auth lets users set, so leaked ones are rarely longer.
const maxRepeated = 128

/** Whether the password as a whole is on the list, ignoring case (NIST SP 800-63B-4 §3.1.1.2), or one character. */
export function isCommonPassword (password: string): boolean {
  const text = password.normalize('NFC').toLowerCase().trim()
  return common.has(text) || (new Set(text).size <= 1 && [...password].length <= maxRepeated)
}
