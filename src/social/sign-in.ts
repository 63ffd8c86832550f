/**
 * Who comes from a provider is let in, or connected with the account that is logged in. What is looked up for it may
 * change meanwhile, and then is looked up again.
 */
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
import { createAccountLinking, ConcurrentChange, type AccountLinkingOptions } from './account-linking.js'
import type { SealedTokens } from './provider-tokens.js'

type Work<T> = (tx: Db, user: UserRow) => Promise<T>

export function createSignIn ({ db, clock, providerTokens, ...ingredients }: AccountLinkingOptions & { db: Database, clock: () => Date, providerTokens: SealedTokens }) {
  const { outbox, settings: { account: { emailVerification, registration } } } = ingredients
  const accountLinking = createAccountLinking(ingredients)

  async function rowOf ({ provider, issuer, subject, tokens }: Identity, userPk: string): Promise<SocialAccountRow> {
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
     * Lets an identity in: runs `work` with its user, in the transaction that finds or makes the account. Throws
     * `account_exists`, `invalid_credentials`, `email_not_verified`, `registration_closed`, `provider_email_missing`.
     */
    async signIn<T> (identity: Identity, request: FastifyRequest, work: Work<T>): Promise<T> {
      const outcome = await retryOnConcurrentChange(async () => {
        const wantsAccount = await isUnknown(db, identity)
        // The app's own code, which no transaction waits for.
        if (wantsAccount) await checkMayRegister(registration, request)
        const row = await rowOf(identity, uuid())
        return await mailOwnerInstead({ db, outbox }, identity.email, async tx => {
          const user = await accountLinking.findOrCreateUser(tx, identity, row, wantsAccount)
          const mustVerify = emailVerification === 'mandatory' && !user.emailVerified
          return mustVerify ? undefined : { entered: await work(tx, user) }
        })
      })
      outbox.wake()
      if (!outcome) throw failure('email_not_verified')
      return outcome.entered
    },

    /** Connects an identity with a user who is logged in. Throws `social_account_taken` where it opens another's account. */
    async link<T> (identity: Identity, pk: string, work: Work<T>): Promise<T> {
      const result = await retryOnConcurrentChange(async () => {
        const row = await rowOf(identity, pk)
        return await db.transaction(async tx => {
          const user = await lockUser(tx, pk)
          // As any route tells it, for it may have happened meanwhile.
          if (!user?.isActive) throw failure(user ? 'user_inactive' : 'user_not_found')
          const known = await findSocialAccount(tx, identity.issuer, identity.subject)
          if (known && known.userPk !== pk) throw failure('social_account_taken')
          if (known) {
            await useSocialAccount(tx, known.id, {
              provider: row.provider,
              ...(row.tokens !== null && { tokens: row.tokens })
            })
          } else await accountLinking.connect(tx, row)
          return await work(tx, user)
        })
      })
      outbox.wake()
      return result
    }
  }
}

/** Whether the identity has to ask for an account: whoever has proven the address of one is let in to that. */
async function isUnknown (db: Db, { issuer, subject, email, emailProven }: Identity): Promise<boolean> {
  if (await findSocialAccount(db, issuer, subject)) return false
  return !emailProven || email === undefined || await findUserByEmail(db, email) === undefined
}
