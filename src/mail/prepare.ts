/**
 * Decides whether a queued mail is still wanted and who gets it, and mints its token. All in one transaction that
 * locks the user's row, so that two processes can't both conclude that the user has had no such mail yet. A later
 * attempt mails the same token, unless it was spent or has expired meanwhile.
 */
import type { Database, Db } from '../db/database.js'
import type { MailRow, UserRow } from '../db/tables.js'
import { createTokenDeriver, hashToken } from '../lib/secrets.js'
import { secondsAfter } from '../lib/time.js'
import {
  deleteExpiredTokens, insertToken, prolongTokens, renewToken, type TokenPurpose
} from '../store/one-time-tokens.js'
import { countMails, hasLaterMail, recordOutcome } from '../store/outbox.js'
import { findUser, findUserByEmail, lockUser } from '../store/users.js'
import type { MailPolicy, MintedToken } from './policies.js'

type Addressee = UserRow & { email: string }

export interface PreparedMail {
  user: Addressee
  token: string | undefined
}

interface PreparerOptions {
  db: Database
  clock: () => Date
  secrets: readonly string[]
  retentionSeconds: number
}

/** Returns the function that prepares a mail; it resolves to undefined when the mail is no longer wanted. */
export function createPreparer ({ db, clock, secrets: [secret = ''], retentionSeconds }: PreparerOptions) {
  const deriveToken = createTokenDeriver(secret, 'mailed tokens')

  return (mail: MailRow, policy: MailPolicy): Promise<PreparedMail | undefined> => db.transaction(async tx => {
    const found = mail.userPk === null ? await findUserByEmail(tx, mail.address ?? '') : await findUser(tx, mail.userPk)
    const user = found && await lockUser(tx, found.pk)
    if (!user || !hasAddress(user) || !policy.isWanted(user)) return undefined
    return mail.admittedAt ? await prepareAgain(tx, mail, policy, user) : await prepareFirst(tx, mail, policy, user)
  })

  async function prepareFirst (
    tx: Db,
    mail: MailRow,
    { limit, mintsToken }: MailPolicy,
    user: Addressee
  ): Promise<PreparedMail | undefined> {
    const now = clock()
    if (limit) {
      const since = secondsAfter(now, -limit.seconds)
      const isOverLimit = await countMails(tx, mail, user.pk, since) >= limit.count
      if (isOverLimit && await isServedByEarlier(tx, mintsToken, user, since)) return undefined
    }
    await recordOutcome(tx, mail, { userPk: user.pk, admittedAt: now })
    return { user, token: mintsToken && await mint(tx, mail, mintsToken, user) }
  }

  /**
   * Whether the mails sent since then will do, so that a stranger's requests don't stop the owner's: their links become
   * as good as new. They won't if each was used, or went to another address, or the password has changed.
   */
  async function isServedByEarlier (
    tx: Db,
    mintsToken: MintedToken | undefined,
    user: Addressee,
    since: Date
  ): Promise<boolean> {
    if (!mintsToken) return true
    const { purpose, lifetimeSeconds } = mintsToken
    return await prolongTokens(tx, mailedTo(user, purpose), since, secondsAfter(clock(), lifetimeSeconds))
  }

  async function prepareAgain (
    tx: Db,
    mail: MailRow,
    { mintsToken }: MailPolicy,
    user: Addressee
  ): Promise<PreparedMail | undefined> {
    if (!mintsToken) return { user, token: undefined }
    if (await hasLaterMail(tx, mail, user.pk)) return undefined
    const token = deriveToken(mintsToken.purpose, mail.id)
    const row = await renewToken(tx, mail.id, hashToken(token), clock())
    return row?.address === user.email ? { user, token } : undefined
  }

  async function mint (
    tx: Db,
    { id }: MailRow,
    { purpose, lifetimeSeconds }: MintedToken,
    user: Addressee
  ): Promise<string> {
    const token = deriveToken(purpose, id)
    const now = clock()
    // `isServedByEarlier` may prolong those that expired since then.
    await deleteExpiredTokens(tx, secondsAfter(now, -retentionSeconds))
    await insertToken(tx, {
      digest: hashToken(token),
      mailId: id,
      ...mailedTo(user, purpose),
      createdAt: now,
      expiresAt: secondsAfter(now, lifetimeSeconds)
    })
    return token
  }
}

/** What a token is bound to. */
const mailedTo = ({ pk, email, passwordHash }: Addressee, purpose: TokenPurpose) =>
  ({ purpose, userPk: pk, address: email, passwordDigest: hashToken(passwordHash ?? '') })

const hasAddress = (user: UserRow): user is Addressee => user.email !== null
