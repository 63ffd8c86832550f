/** Checks the options: every refusal and warning, as they are and as in production. */
import { randomBytes } from 'node:crypto'
import { loadTemplates } from '../../mail/templates.js'
import { resolveSettings } from '../../settings/settings.js'
import type { Settings } from '../../settings/types.js'
import type { Check } from './check.js'

type Options = Record<string, unknown>

const prefix = 'fastify-rest-auth: '

interface Examined {
  checks: Check[]
  /** Undefined if the options are refused. */
  settings: Settings | undefined
}

export function checkOptions (options: object, isProduction: boolean): Examined {
  const asGiven = problemsOf(options, isProduction)
  // What a start on this machine would not say, though the one in production will.
  const later = isProduction
    ? []
    : problemsOf(options, true).refusals.filter(line => !asGiven.refusals.includes(line))
  const checks: Check[] = [
    ...asGiven.refusals.map(message => ({ name: 'options', status: 'failed', message } as const)),
    ...asGiven.warnings.map(message => ({ name: 'options', status: 'warning', message } as const)),
    ...later.map(message => ({ name: 'options', status: 'warning', message: `in production: ${message}` } as const))
  ]
  const settings = asGiven.refusals.length > 0 ? undefined : asGiven.settings
  return {
    checks: checks.length > 0 ? checks : [{ name: 'options', status: 'ok', message: 'accepted, also in production' }],
    settings
  }
}

interface Problems {
  refusals: string[]
  warnings: string[]
  settings: Settings | undefined
}

/** The plugin refuses one option at a time: each is noted, and replaced, so that the next shows. */
function problemsOf (given: object, production: boolean): Problems {
  const refusals: string[] = []
  const replacedPaths = new Set<string>()
  let options: Options = { ...given }
  for (;;) {
    const warnings: string[] = []
    try {
      const settings = resolveSettings(options, {
        production, warn: message => warnings.push(message.replace(prefix, ''))
      })
      return { refusals, warnings, settings }
    } catch (error) {
      const line = error instanceof Error ? error.message.replace(prefix, '') : String(error)
      const [path = ''] = /^[\w.]+/.exec(line) ?? []
      // What is refused now is our replacement.
      if (replacedPaths.has(path)) return { refusals, warnings, settings: undefined }
      replacedPaths.add(path)
      refusals.push(line)
      options = replaced(options, path.split('.'), accepted[path])
    }
  }
}

/** Options that are required, with values that nobody refuses. */
const accepted: Options = {
  secret: randomBytes(32).toString('base64url'),
  publicUrl: 'https://app.example',
  'mail.transport': () => {}
}

/** The options with another value at this path, or without it. */
function replaced (options: Options, [name = '', ...rest]: string[], value: unknown): Options {
  const { [name]: inner, ...others } = options
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value }
  const isGroup = typeof inner === 'object' || inner === undefined
  return isGroup ? { ...others, [name]: replaced({ ...inner }, rest, value) } : others
}

/** Of the secret: the options were refused with a weak one, and without one there was a warning. */
export function checkSecret ({ secret }: { secret?: unknown }, { secrets }: Settings): Check[] {
  if (secret === undefined) return []
  const message = secrets.length > 1
    ? `strong; ${secrets.length} are accepted, so remove the old ones when their tokens have expired`
    : 'strong'
  return [{ name: 'secret', status: 'ok', message }]
}

/** What only the start of the app would find: a template or a transport that does not work. */
export async function checkTemplates ({ mail: { templates, filters = {}, tags = {} } }: Settings): Promise<Check[]> {
  const loaded = await loadTemplates({ folder: templates, filters, tags })
  return [{ name: 'templates', status: 'ok', message: `${loaded.names().length} mails` }]
}
