/** The passwords that attackers try first: some 49,000, from the leaks that zxcvbn collects. */
import { dictionary } from '@zxcvbn-ts/language-common'

const common = new Set(dictionary['passwords-common'])

/** Whether the whole password, without regard to case, is on the list (NIST SP 800-63B-4 §3.1.1.2). */
export const isCommonPassword = (password: string): boolean => common.has(password.toLowerCase().trim())
