/** Which file of the app made an object: so that a hint can name the very command to run. */
import { realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const files = new WeakMap<object, string>()

/** Remembers the file that called `callee`, which calls this, as the maker of the object. */
export function rememberCaller (made: object, callee: (...parameters: never[]) => unknown): void {
  const { prepareStackTrace } = Error
  try {
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName() ?? undefined
    const trace: { stack?: unknown } = {}
    Error.captureStackTrace(trace, callee)
    if (typeof trace.stack === 'string') files.set(Object(made), trace.stack)
  } finally {
    Error.prepareStackTrace = prepareStackTrace
  }
}

/**
 * The path of the file, as a command may name it: `./auth.ts`. Undefined if it is not known, or if it is the script of
 * this process: to load that starts the app instead of exporting something.
 */
export function callerFile (made: object): string | undefined {
  const name = files.get(made)
  const path = name?.startsWith('file:') ? fileURLToPath(name) : name
  if (path === undefined || path === mainScript()) return undefined
  const fromHere = relative(process.cwd(), path).split(sep).join('/')
  return fromHere.startsWith('../') ? fromHere : `./${fromHere}`
}

function mainScript (): string | undefined {
  try {
    return realpathSync(process.argv[1] ?? '')
  } catch {
    return undefined
  }
}
