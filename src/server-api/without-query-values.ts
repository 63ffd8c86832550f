/** `app.restAuth` is called by the app's code, which may log or show what it throws. */
import { redactForHost } from '../errors/failure.js'

type Functions = Record<string, (...parameters: any[]) => Promise<unknown>>

/** The same functions, whose errors never hold the values of a query. */
export function withoutQueryValues<F extends Functions> (functions: F): F {
  const wrapped = Object.entries(functions).map(([name, run]) => [name, async (...parameters: unknown[]) => {
    try {
      return await run(...parameters)
    } catch (error) {
      throw redactForHost(error)
    }
  }])
  // The same names, parameters and results; `Object.fromEntries` forgets the names.
  return Object.fromEntries(wrapped) as F
}
