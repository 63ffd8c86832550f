/** What `app.restAuth` offers is called by the app's own code, and throws there. */
import { redactForHost } from '../errors/failure.js'

/** Whatever is thrown to the host's code carries no query's values. */
export function withoutQueryValues<Functions extends Record<string, (...parameters: any[]) => Promise<unknown>>> (functions: Functions): Functions {
  // The same functions under the same names.
  return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, async (...parameters: unknown[]) => {
    try {
      return await run(...parameters)
    } catch (error) {
      throw redactForHost(error)
    }
  }])) as Functions
}
