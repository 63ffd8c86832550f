/**
 * What goes wrong with a provider, as a failure to answer with. The reason is for the log: words of ours and the
 * provider's error code, never a token, a code, a secret or an address.
 */
import type { FastifyBaseLogger } from 'fastify'
import type { AnswerCode } from '../../schemas/errors.js'
import { Failure } from '../errors/failure.js'

export type ProviderErrorCode = Extract<
  AnswerCode,
  'provider_unavailable' | 'provider_error' | 'provider_token_invalid' | 'code_exchange_failed'
>

interface ProviderErrorOptions {
  /** That the provider answered with. */
  status?: number | undefined
  /** Whether the app is configured wrongly, as the provider says. */
  isMisconfiguration?: boolean
}

/** To be told to the log by `logProblem`, once, where the provider's name is known. */
export class ProviderError extends Failure {
  override readonly isLogged = true
  readonly reason: string
  readonly status: number | undefined
  readonly ours: boolean

  constructor (
    code: ProviderErrorCode,
    reason: string,
    { status, isMisconfiguration = false }: ProviderErrorOptions = {}
  ) {
    super(code, { headers: code === 'provider_unavailable' ? { 'retry-after': '5' } : {} })
    this.reason = reason
    this.status = status
    this.ours = isMisconfiguration
  }
}

export type ProviderLog = Pick<FastifyBaseLogger, 'warn' | 'error'>

/** What the app's people have to mend is an error; the rest happens. */
export function logProviderError (log: ProviderLog, provider: string, { code, reason, ours }: ProviderError): void {
  log[ours ? 'error' : 'warn']({ provider, code, reason }, 'a provider confirmed no login')
}

/** An answer whose status says that it is none: one to try again later, or one that makes no sense. */
export function statusError (what: string, status: number): ProviderError {
  const passing = status >= 500 || status === 429 || status === 408
  return new ProviderError(passing ? 'provider_unavailable' : 'provider_error', `${what}: status ${status}`, { status })
}

/** A request that got no whole answer: of the error nothing is told but its code (`ECONNREFUSED`). */
export function networkError (what: string, error: unknown): ProviderError {
  const { code } = Object(error) as { code?: unknown }
  return new ProviderError(
    'provider_unavailable',
    `${what}: ${/^[A-Z][A-Z0-9_]{1,40}$/.exec(String(code))?.[0] ?? 'connection lost'}`
  )
}

/** What a promise comes to, unless the signal comes first. */
export async function withinTime<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const timeout = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new ProviderError('provider_unavailable', 'no answer in time'))
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
  return await Promise.race([promise, timeout])
}
