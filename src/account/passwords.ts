/** The rules for new passwords, and the hashing of passwords. */
import type { FieldCode } from '../../schemas/errors.js'
import { type FieldError, fieldError } from '../errors/failure.js'
import { isCommonPassword } from '../lib/common-passwords.js'
import { contextOf } from '../lib/context-words.js'
import { createHasher, type HashCost } from '../lib/password-hash.js'
import { isSimilar } from '../lib/similarity.js'
import type { Settings } from '../settings/types.js'
import type { PasswordOwner } from '../types.js'

interface Site {
  name: string
  domain: string
}

/** `site` is called for each password: in development the domain is known only once the app listens. */
export function createPasswords (
  { minLength, validators }: Settings['password'],
  cost: HashCost,
  { site, readHashes }: { site: () => Site, readHashes: () => Promise<Array<string | null>> }
) {
  const rules: Array<[FieldCode, (password: string) => boolean | Promise<boolean>]> = [
    ['password_too_short', password => [...password].length < minLength],
    ['password_too_common', isCommonPassword],
    // As hard to guess as a dozen letters: a rule about kinds of characters would forbid it (ASVS 6.2.5).
    ['password_entirely_numeric', password => /^\p{Nd}{1,19}$/u.test(password)]
  ]

  /** Every rule that a new password of this user breaks, as errors of `field`. Similarity comes last, as in Django. */
  async function check (field: string, password: string, owner: PasswordOwner): Promise<FieldError[]> {
    const found: FieldError[] = []
    for (const [code, isBroken] of rules) {
      if (await isBroken(password)) found.push(fieldError(field, code, { limit: minLength }))
    }
    const similar = findSimilar(password, owner, site())
    if (similar !== undefined) found.push(fieldError(field, 'password_too_similar', { attribute: similar }))
    for (const validate of validators) {
      const verdict = await validate(password, owner)
      if (verdict !== true) found.push({ field, code: 'password_not_allowed', message: verdict })
    }
    return found
  }

  /**
   * The same for a password given twice, added to what is `invalid`. As in Django, a mismatch and a weak password
   * concern the second field.
   */
  async function checkPair (
    password: string,
    repeated: string | undefined,
    owner: PasswordOwner,
    invalid: readonly FieldError[]
  ): Promise<FieldError[]> {
    const weak = await check('new_password1', password, owner)
    return [
      ...blankAsMismatch(invalid, mismatch()),
      ...(repeated !== undefined && repeated !== password ? [mismatch()] : []),
      ...weak.map(problem => ({ ...problem, drf: ofSecondField(3) }))
    ]
  }

  return { ...createHasher(cost, readHashes), check, checkPair }
}
export type Passwords = ReturnType<typeof createPasswords>

/** The user's attribute that the password resembles, in words. `pk` is skipped: users do not choose its digits. */
function findSimilar (password: string, owner: PasswordOwner, site: Site): string | undefined {
  const texts = Object.entries(owner).filter((entry): entry is [string, string] =>
    entry[0] !== 'pk' && typeof entry[1] === 'string' && entry[1] !== '')
  const [similar] = texts.find(([, text]) => isSimilar(password, text)) ?? []
  const siteTexts = Object.values(site).map((text: string) => ['name of this site', text] as const)
  const name = similar ?? contextOf(password, [...texts, ...siteTexts])
  return name === 'email' ? 'email address' : name?.replaceAll('_', ' ')
}

/** A form sends a repetition that was left blank: beside a valid password this is a mismatch, like any other. */
export const blankAsMismatch = (invalid: readonly FieldError[], mismatch: FieldError): FieldError[] =>
  invalid.map(error => error.field === mismatch.field && error.code === 'blank' ? mismatch : error)

const ofSecondField = (step: 2 | 3) => ({ field: 'new_password2', step })

const mismatch = (): FieldError => ({
  ...fieldError('new_password2', 'password_mismatch', {}, ofSecondField(2)),
  message: 'The two password fields didn’t match.'
})
