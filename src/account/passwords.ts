/** What makes a password acceptable, and the hashing of those that are. */
import type { FieldCode } from '../../schemas/errors.js'
import { type FieldError, fieldError } from '../errors/failure.js'
import { isCommonPassword } from '../lib/common-passwords.js'
import { createHasher, type HashCost } from '../lib/password-hash.js'
import { isSimilar } from '../lib/similarity.js'
import type { Settings } from '../settings/types.js'
import type { PasswordOwner } from '../types.js'

export function createPasswords ({ minLength, validators }: Settings['password'], cost: HashCost) {
  const hasher = createHasher(cost)

  const rules: Array<[FieldCode, (password: string) => boolean]> = [
    ['password_too_short', password => [...password].length < minLength],
    ['password_too_common', isCommonPassword],
    ['password_entirely_numeric', password => /^\p{Nd}+$/u.test(password)]
  ]

  return {
    ...hasher,

    /** Everything wrong with a new password for this user, as errors of `field`; as in Django, likeness comes last. */
    async check (field: string, password: string, owner: PasswordOwner): Promise<FieldError[]> {
      const found = rules
        .filter(([, breaks]) => breaks(password))
        .map(([code]) => fieldError(field, code, { limit: minLength }))
      // Digits of an identifier that nobody chose are in many a password.
      const alike = Object.entries(owner).find(
        ([name, value]) => name !== 'pk' && typeof value === 'string' && value !== '' && isSimilar(password, value)
      )
      if (alike) {
        found.push(
          fieldError(field, 'password_too_similar', {
            attribute: alike[0] === 'email' ? 'email address' : alike[0].replaceAll('_', ' ')
          })
        )
      }
      for (const validate of validators) {
        const verdict = await validate(password, owner)
        if (verdict !== true) found.push({ field, code: 'password_not_allowed', message: verdict })
      }
      return found
    },

    /** Everything wrong with a pair of fields. Django names the second when they differ, and when the password is weak. */
    async checkPair (password: string, repeated: string | undefined, owner: PasswordOwner): Promise<FieldError[]> {
      const second = (step: 2 | 3) => ({ field: 'new_password2', step })
      const differs = repeated !== undefined && repeated !== password
      return [
        ...(differs
          ? [
              {
                ...fieldError('new_password2', 'password_mismatch', {}, second(2)),
                message: 'The two password fields didn’t match.'
              }
            ]
          : []),
        ...(await this.check('new_password1', password, owner)).map(problem => ({ ...problem, drf: second(3) }))
      ]
    }
  }
}
export type Passwords = ReturnType<typeof createPasswords>
