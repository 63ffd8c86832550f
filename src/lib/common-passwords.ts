/** The passwords that attackers try first: about 49,000, from the leaks that zxcvbn collects. */
import { dictionary } from '@zxcvbn-ts/language-common'

const common = new Set(dictionary['passwords-common'])

/** Whether the password as a whole is on the list, ignoring case (NIST SP 800-63B-4 §3.1.1.2). */
export const isCommonPassword = (password: string): boolean => common.has(password.toLowerCase().trim())
