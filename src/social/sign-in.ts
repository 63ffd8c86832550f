/** Signs in with a provider's identity, or links it. Starts over if another request changes the same rows meanwhile. */
import type { FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import { mailOwnerInstead } from '../account/address-taken.js'
import { checkMayRegister } from '../account/registration-policy.js'
import type { Database, Db } from '../db/database.js'
import type { SocialAccountRow, UserRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import { retry } from '../lib/retry.js'
import type { Identity } from '../oauth/types.js'
import { findSocialAccount, useSocialAccount } from '../store/social-accounts.js'
import { findUserByEmail, lockUser } from '../store/users.js'
import { createAccountLinking } from './account-linking.js'
import type { ProviderTokenCipher } from './provider-tokens.js'
import { ConcurrentChange, type AccountLinkingOptions } from './registration.js'

type Work<T> = (tx: Db, user: UserRow) => Promise<T>

interface SignInOptions extends AccountLinkingOptions {
  db: Database
  clock: () => Date
  providerTokens: ProviderTokenCipher
}

export function createSignIn ({ db, clock, providerTokens, ...linkingOptions }: SignInOptions) {
  const { outbox, userRecords, settings: { account: { emailVerification, registration } } } = linkingOptions
  const accountLinking = createAccountLinking(linkingOptions)

  async function toRow ({ provider, issuer, subject, tokens }: Identity, userPk: string): Promise<SocialAccountRow> {
    const now = clock()
    return {
      id: uuid(),
      userPk,
      provider,
      issuer,
      subject,
      createdAt: now,
      lastLogin: now,
      tokens: tokens ? await providerTokens.encrypt(tokens, { issuer, subject }) : null
    }
  }

  const retryOnConcurrentChange = <T>(work: () => Promise<T>): Promise<T> =>
    retry(work, { attempts: 5, when: error => error instanceof ConcurrentChange })

  return {
    /**
     * Runs `work` with the identity's user, in the transaction that finds or creates the account. Throws
     * `account_exists`, `invalid_credentials`, `email_not_verified`, `registration_closed`, `provider_email_missing`.
     */
    async signIn<T> (identity: Identity, request: FastifyRequest, work: Work<T>): Promise<T> {
      const outcome = await retryOnConcurrentChange(async () => {
        const needsAccount = await hasNoAccount(db, identity)
        // Calls the app's own code: outside the transaction, which must not wait for it.
        if (needsAccount) await checkMayRegister(registration, request)
        // Empty if no account is created: then the row gets the key of the user who is found or linked.
        const row = await toRow(identity, needsAccount ? await userRecords.newPk(db) : '')
        return await mailOwnerInstead({ db, outbox }, identity.email, async tx => {
          const user = await accountLinking.findOrCreateUser(tx, { identity, row, request }, needsAccount)
          const mustVerify = emailVerification === 'mandatory' && !user.emailVerified
          return mustVerify ? undefined : { entered: await work(tx, user) }
        })
      })
      outbox.wake()
      // The same response whether the address was free or taken: only its owner may learn which, by mail.
      if (!outcome) throw failure('email_not_verified')
      return outcome.entered
    },

    /** Links an identity to a logged-in user. Throws `social_account_taken` if it belongs to another user. */
    async link<T> (identity: Identity, pk: string, request: FastifyRequest, work: Work<T>): Promise<T> {
      const result = await retryOnConcurrentChange(async () => {
        const row = await toRow(identity, pk)
        return await db.transaction(async tx => {
          const user = await lockUser(tx, pk)
          // Deactivated or deleted after the request was authenticated.
          if (!user?.isActive) throw failure(user ? 'user_inactive' : 'user_not_found')
          const known = await findSocialAccount(tx, identity.issuer, identity.subject)
          if (known && known.userPk !== pk) throw failure('social_account_taken')
          if (known) {
            await useSocialAccount(tx, known.id, {
              provider: row.provider,
              ...(row.tokens !== null && { tokens: row.tokens })
            })
          } else await accountLinking.connect(tx, row, request)
          return await work(tx, user)
        })
      })
      outbox.wake()
      return result
    }
  }
}

/** Whether to register a new user: nobody has this identity, and it does not prove an existing user's address. */
async function hasNoAccount (db: Db, { issuer, subject, email, emailProven }: Identity): Promise<boolean> {
  if (await findSocialAccount(db, issuer, subject)) return false
  return !emailProven || email === undefined || await findUserByEmail(db, email) === undefined
}
