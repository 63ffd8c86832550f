/**
 * Is a queued mail still wanted, and by whom? Settled in one transaction, in which the user's row is locked, so that
 * two processes don't both find that the mailbox has had none. The token a mail carries is made here, at the first try;
 * a later try mails the same one, unless it was spent or has expired meanwhile.
 */
import type { Database, Db } from '../db/database.js'
import type { MailRow, UserRow } from '../db/tables.js'
import { createTokenDeriver, hashToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { deleteExpiredTokens, insertToken, renewToken } from '../store/one-time-tokens.js'
import { countMails, hasLaterMail, recordOutcome } from '../store/outbox.js'
import { findUser, findUserByEmail, lockUser } from '../store/users.js'
import type { MailPolicy } from './policies.js'

export interface PreparedMail {
  user: UserRow & { email: string }
  token: string | undefined
}

interface PreparerOptions {
  db: Database
  clock: () => Date
  secrets: readonly string[]
}

export function createPreparer ({ db, clock, secrets: [secret = ''] }: PreparerOptions) {
  const derive = createTokenDeriver(secret, 'mailed tokens')

  /** Undefined when the mail is wanted no more. */
  return async function prepare (mail: MailRow, policy: MailPolicy): Promise<PreparedMail | undefined> {
    return await db.transaction(async tx => {
      const found =
        mail.userPk === null ? await findUserByEmail(tx, mail.address ?? '') : await findUser(tx, mail.userPk)
      const user = found && await lockUser(tx, found.pk)
      if (!user || !hasAddress(user) || !policy.isWanted(user)) return undefined
      if (mail.admittedAt) return await prepareAgain(tx, mail, policy, user)
      const { limit } = policy
      if (limit && (await countMails(tx, mail, user.pk, secondsAfter(clock(), -limit.seconds))) >= limit.count) { return undefined }
      await recordOutcome(tx, mail, { userPk: user.pk, admittedAt: clock() })
      return { user, token: policy.token && await mint(tx, mail, policy.token, user) }
    })
  }

  async function mint (tx: Db, { id }: MailRow, { purpose, lifetimeSeconds }: NonNullable<MailPolicy['token']>, user: PreparedMail['user']): Promise<string> {
    const token = derive(purpose, id)
    const now = clock()
    await deleteExpiredTokens(tx, now)
    await insertToken(tx, {
      digest: hashToken(token),
      mailId: id,
      purpose,
      userPk: user.pk,
      address: user.email,
      passwordDigest: hashToken(user.passwordHash ?? ''),
      createdAt: now,
      expiresAt: secondsAfter(now, lifetimeSeconds)
    })
    return token
  }

  async function prepareAgain (tx: Db, mail: MailRow, kind: MailPolicy, user: PreparedMail['user']): Promise<PreparedMail | undefined> {
    if (!kind.token) return { user, token: undefined }
    if (await hasLaterMail(tx, mail, user.pk)) return undefined
    const token = derive(kind.token.purpose, mail.id)
    const row = await renewToken(tx, mail.id, hashToken(token), clock())
    return row?.address === user.email ? { user, token } : undefined
  }
}

const hasAddress = (user: UserRow): user is PreparedMail['user'] => user.email !== null
