/**
 * Is a queued mail still wanted, and by whom? Settled in one transaction, in which the user's row is locked, so that
 * two processes don't both find that the mailbox has had none. The token a mail carries is made here, at the first try;
 * a later try mails the same one, unless it was spent or has expired meanwhile.
 */
import type { Database, Db } from '../db/database.js'
import type { MailRow, UserRow } from '../db/tables.js'
import { createTokenDeriver, digest } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import { deleteExpiredTokens, insertToken, renewToken } from '../store/one-time-tokens.js'
import { countMails, hasLaterMail, settleMail } from '../store/outbox.js'
import { findUser, findUserByEmail, lockUser } from '../store/users.js'
import type { Kind } from './policies.js'

export interface Admitted {
  user: UserRow & { email: string }
  token: string | undefined
}

interface Ingredients {
  db: Database
  clock: () => Date
  secrets: readonly string[]
}

export function createAdmission ({ db, clock, secrets: [secret = ''] }: Ingredients) {
  const derive = createTokenDeriver(secret, 'mailed tokens')

  /** Undefined when the mail is wanted no more. */
  return async function admit (mail: MailRow, kind: Kind): Promise<Admitted | undefined> {
    return await db.transaction(async tx => {
      const found = mail.userPk === null ? await findUserByEmail(tx, mail.address ?? '') : await findUser(tx, mail.userPk)
      const user = found && await lockUser(tx, found.pk)
      if (!user || !hasAddress(user) || !kind.isWanted(user)) return undefined
      if (mail.admittedAt) return await admitAgain(tx, mail, kind, user)
      const { limit } = kind
      if (limit && await countMails(tx, mail, user.pk, secondsAfter(clock(), -limit.seconds)) >= limit.count) return undefined
      await settleMail(tx, mail, { userPk: user.pk, admittedAt: clock() })
      return { user, token: kind.token && await mint(tx, mail, kind.token, user) }
    })
  }

  async function mint (tx: Db, { id }: MailRow, { purpose, lifetime }: NonNullable<Kind['token']>, user: Admitted['user']): Promise<string> {
    const token = derive(purpose, id)
    const now = clock()
    await deleteExpiredTokens(tx, now)
    await insertToken(tx, {
      digest: digest(token),
      mailId: id,
      purpose,
      userPk: user.pk,
      address: user.email,
      passwordDigest: digest(user.passwordHash ?? ''),
      createdAt: now,
      expiresAt: secondsAfter(now, lifetime)
    })
    return token
  }

  async function admitAgain (tx: Db, mail: MailRow, kind: Kind, user: Admitted['user']): Promise<Admitted | undefined> {
    if (!kind.token) return { user, token: undefined }
    if (await hasLaterMail(tx, mail, user.pk)) return undefined
    const token = derive(kind.token.purpose, mail.id)
    const row = await renewToken(tx, mail.id, digest(token), clock())
    return row?.address === user.email ? { user, token } : undefined
  }
}

const hasAddress = (user: UserRow): user is Admitted['user'] => user.email !== null
