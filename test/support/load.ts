/**
 * Users who register, log in, refresh, change passwords and log out over HTTP while something fails. It remembers what
 * apps have acknowledged: what must be there afterwards, and what must not open anything.
 */
import { setTimeout as sleep } from 'node:timers/promises'

interface Tokens { access: string, refresh: string }

/** What is known of a user. An answer that did not come, or is a 503, leaves open what has happened. */
export interface Account {
  email: string
  password: string
  /** A new password whose change was not acknowledged: one of both is valid. */
  unsure?: string
  sessions: Tokens[]
  oldPasswords: string[]
  endedRefreshTokens: string[]
}

export interface Figures {
  requests: number
  acknowledged: number
  unavailable: number
  unanswered: number
  /** Answers that are neither what was asked for nor a 503. */
  wrong: string[]
  longestMs: number
}

export interface Load {
  figures: Figures
  accounts: Account[]
  /** Resolves to the milliseconds until the next success, of any app or of the one at `url`. */
  untilSuccess: (url?: string) => Promise<number>
  stop: () => Promise<void>
}

interface Answer { status: number, body: string }

/** Undefined if no answer came. */
export async function send (url: string, path: string, body: object, access?: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(`${url}/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...access && { authorization: `Bearer ${access}` } },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000)
    })
    return { status: answer.status, body: await answer.text() }
  } catch {
    return undefined
  }
}

const firstPassword = 'Sup3r-secret-pw'
const maxSessions = 4

/** Starts `lanes` users at once. Requests go to the apps at `urls` in turn, which may change at any time. */
export function startLoad (urls: string[], lanes: number, random: () => number): Load {
  const figures: Figures =
    { requests: 0, acknowledged: 0, unavailable: 0, unanswered: 0, wrong: [], longestMs: 0 }
  const accounts: Account[] = []
  const waiting = new Set<(url: string) => void>()
  const state = { isOver: false }

  /** The body of a success. Undefined if it is open what has happened. */
  async function ask (path: string, body: object, access?: string): Promise<Tokens | undefined> {
    const url = urls[figures.requests++ % urls.length]
    if (!url) return undefined
    const began = performance.now()
    const answer = await send(url, path, body, access)
    figures.longestMs = Math.max(figures.longestMs, performance.now() - began)
    if (!answer) figures.unanswered++
    else if (answer.status === 503) figures.unavailable++
    else if (answer.status >= 300) figures.wrong.push(`${path} ${answer.status} ${answer.body}`)
    else {
      figures.acknowledged++
      for (const tell of waiting) tell(url)
      return JSON.parse(answer.body)
    }
    // As a client would: not again at once.
    await sleep(20)
    return undefined
  }

  async function register (): Promise<Account | undefined> {
    const email = `u${figures.requests}@example.com`
    const tokens = await ask('/registration', { email, password1: firstPassword })
    if (!tokens) return undefined
    const account: Account =
      { email, password: firstPassword, sessions: [tokens], oldPasswords: [], endedRefreshTokens: [] }
    accounts.push(account)
    return account
  }

  async function logIn ({ email, password, sessions }: Account): Promise<void> {
    const tokens = await ask('/login', { email, password })
    if (tokens) sessions.push(tokens)
  }

  // A token whose use was not acknowledged may be used up, so it is forgotten.
  async function refresh ({ sessions }: Account, session: Tokens): Promise<void> {
    const tokens = await ask('/token/refresh', { refresh: session.refresh })
    if (tokens) sessions.push(tokens)
  }

  async function logOut ({ endedRefreshTokens }: Account, session: Tokens): Promise<void> {
    if (await ask('/logout', { refresh: session.refresh })) endedRefreshTokens.push(session.refresh)
  }

  async function changePassword (account: Account, session: Tokens): Promise<void> {
    const { password: old, sessions: others } = account
    const password = `${firstPassword}-${account.oldPasswords.length + 1}`
    account.sessions = [session]
    const passwords = { old_password: old, new_password1: password }
    if (await ask('/password/change', passwords, session.access)) {
      Object.assign(account, { password })
      account.oldPasswords.push(old)
      account.endedRefreshTokens.push(...others.map(({ refresh }) => refresh))
    } else account.unsure = password
  }

  async function use (account: Account): Promise<void> {
    const action = random()
    const session = account.sessions.length > 0 && action > 0.25 ? account.sessions.shift() : undefined
    if (!session) return await logIn(account)
    if (action > 0.75) await changePassword(account, session)
    else if (action > 0.5 || account.sessions.length === maxSessions) await logOut(account, session)
    else await refresh(account, session)
  }

  async function lane (): Promise<void> {
    let account: Account | undefined
    while (!state.isOver) {
      if (!account || account.unsure !== undefined || random() < 0.2) account = await register()
      else await use(account)
    }
  }

  const running = Array.from({ length: lanes }, lane)
  return {
    figures,
    accounts,
    untilSuccess: async wanted => await new Promise(resolve => {
      const began = performance.now()
      waiting.add(function tell (url) {
        if (wanted !== undefined && url !== wanted) return
        waiting.delete(tell)
        resolve(performance.now() - began)
      })
    }),
    stop: async () => {
      state.isOver = true
      await Promise.all(running)
    }
  }
}

/** Holds an app against what was acknowledged: what is lost, what is undone, and how many revocations were checked. */
export async function verify (url: string, accounts: Account[]) {
  const [lost, undone]: [string[], string[]] = [[], []]
  const opens = async (path: string, body: object): Promise<boolean> => {
    const answer = await send(url, path, body)
    if (answer?.status === 200) return true
    if (answer && [400, 401].includes(answer.status)) return false
    throw new Error(`${path}: ${answer?.status} ${answer?.body}`)
  }
  const logsIn = async (email: string, password: string) => await opens('/login', { email, password })
  let revocations = 0
  for (const { email, password, unsure, sessions, oldPasswords, endedRefreshTokens } of accounts) {
    revocations += oldPasswords.length + endedRefreshTokens.length
    const isOpen = await logsIn(email, password)
    const isChanged = unsure !== undefined && await logsIn(email, unsure)
    if (isOpen === isChanged) lost.push(`the password of ${email}`)
    for (const { refresh } of sessions) {
      if (!await opens('/token/refresh', { refresh })) lost.push(`a session of ${email}`)
    }
    for (const old of oldPasswords) if (await logsIn(email, old)) undone.push(`a password change of ${email}`)
    for (const refresh of endedRefreshTokens) {
      if (await opens('/token/refresh', { refresh })) undone.push(`a logout of ${email}`)
    }
  }
  return { lost, undone, revocations }
}
