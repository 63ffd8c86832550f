/** The options of the plugin from the environment, for a command without a module that exports them. */

interface Variable {
  name: string
  /** The option that it sets. */
  option: string
  summary: string
}

export const optionVariables: readonly Variable[] = [
  {
    name: 'AUTH_SECRET',
    option: 'secret',
    summary: 'the secret; or several, separated by commas: the first signs, the others still verify'
  },
  { name: 'DATABASE_URL', option: 'database', summary: 'a postgres:// URL or a SQLite file; default: auth.sqlite' },
  { name: 'PUBLIC_URL', option: 'publicUrl', summary: 'the address that users see, such as https://app.example' },
  { name: 'SMTP_URL', option: 'mail.transport', summary: 'smtp:// or smtps://, with user and password' },
  { name: 'MAIL_FROM', option: 'mail.from', summary: 'the sender, such as App <noreply@app.example>' },
  { name: 'REDIS_URL', option: 'limits.store', summary: 'redis:// or rediss://: counts the attempts there' }
]

type Environment = Readonly<Record<string, string | undefined>>

/** Throws an Error that names a variable whose value can't be right; the plugin checks the rest. */
export function environmentOptions (environment: Environment): object {
  // An empty variable counts as none: some tools can't leave one out.
  const valueOf = (name: string) => environment[name]?.trim() || undefined
  const [transport, secrets] = [valueOf('SMTP_URL'), valueOf('AUTH_SECRET')?.split(',').map(part => part.trim())]
  if (transport !== undefined && !/^smtps?:\/\//i.test(transport)) {
    throw new Error('fastify-rest-auth: SMTP_URL: must be an smtp:// or smtps:// URL')
  }
  const store = valueOf('REDIS_URL')
  const from = valueOf('MAIL_FROM')
  const database = valueOf('DATABASE_URL')
  const publicUrl = valueOf('PUBLIC_URL')
  return {
    ...(secrets && { secret: secrets }),
    ...(database !== undefined && { database }),
    ...(publicUrl !== undefined && { publicUrl }),
    mail: { ...(transport !== undefined && { transport }), ...(from !== undefined && { from }) },
    ...(store !== undefined && { limits: { store } })
  }
}

/** The error with the name of the variable in place of the option that it sets. */
export function inVariables (error: unknown, environment: Environment): unknown {
  if (!(error instanceof Error)) return error
  const [, path = '', problem = ''] = /^fastify-rest-auth: ([\w.]+)(?:\[\d+\])?: (.*)$/s.exec(error.message) ?? []
  const variable = optionVariables.find(({ option }) => option === path)
  const isAtFault = variable && (environment[variable.name] || / is required /.test(error.message))
  return isAtFault ? new Error(`fastify-rest-auth: ${variable.name}: ${problem}`, { cause: error }) : error
}
