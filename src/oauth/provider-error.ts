/** Failures of a provider. The reason is logged, so it never contains a token, a code, a secret or an address. */
import type { FastifyBaseLogger } from 'fastify'
import type { AnswerCode } from '../../schemas/errors.js'
import { Failure } from '../errors/failure.js'
import { membersOf } from '../providers/claims.js'

export type ProviderErrorCode = Extract<
  AnswerCode,
  'provider_unavailable' | 'provider_error' | 'provider_token_invalid' | 'code_exchange_failed'
>

interface ProviderErrorOptions {
  providerStatus?: number | undefined
  isMisconfiguration?: boolean
  isRedirectMismatch?: boolean
}

/** `logProviderError` logs it once, where the provider's name is known. */
export class ProviderError extends Failure {
  override readonly isLogged = true
  readonly reason: string
  /** The status of the provider's response. */
  readonly providerStatus: number | undefined
  readonly isMisconfiguration: boolean
  readonly isRedirectMismatch: boolean

  constructor (
    code: ProviderErrorCode,
    reason: string,
    { providerStatus, isMisconfiguration = false, isRedirectMismatch = false }: ProviderErrorOptions = {}
  ) {
    super(code, { headers: code === 'provider_unavailable' ? { 'retry-after': '5' } : {} })
    this.reason = reason
    this.providerStatus = providerStatus
    this.isMisconfiguration = isMisconfiguration
    this.isRedirectMismatch = isRedirectMismatch
  }
}

export type ProviderLog = Pick<FastifyBaseLogger, 'warn' | 'error'>

/** At level `error` if the app's developers must fix it, otherwise `warn`. */
export function logProviderError (
  log: ProviderLog,
  provider: string,
  { code, reason, isMisconfiguration }: ProviderError,
  whatFailed = 'login with a provider failed'
): void {
  log[isMisconfiguration ? 'error' : 'warn']({ provider, code, reason }, whatFailed)
}

/** For a response with an error status: `provider_unavailable` if a retry may help, otherwise `provider_error`. */
export function statusError (what: string, status: number): ProviderError {
  const isTransient = status >= 500 || status === 429 || status === 408
  const code = isTransient ? 'provider_unavailable' : 'provider_error'
  return new ProviderError(code, `${what}: status ${status}`, { providerStatus: status })
}

/** For a request without a complete response. Only the error's code (`ECONNREFUSED`) goes into the reason. */
export function networkError (what: string, error: unknown): ProviderError {
  const { code } = membersOf(error)
  return new ProviderError(
    'provider_unavailable',
    `${what}: ${/^[A-Z][A-Z0-9_]{1,40}$/.exec(String(code))?.[0] ?? 'connection lost'}`
  )
}

/** Settles as the promise does; throws `provider_unavailable` if the signal aborts first. */
export async function withinTime<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const timeout = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new ProviderError('provider_unavailable', 'no answer in time'))
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
  return await Promise.race([promise, timeout])
}
