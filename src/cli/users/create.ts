/** `fastify-rest-auth users create`: stores a user as `app.restAuth.users.create` does. */
import { text } from 'node:stream/consumers'
import type { ColumnKind } from '../../../schemas/user-field-kinds.js'
import type { Context } from '../../context.js'
import { jsonOrText } from '../../lib/json-or-text.js'
import { defineCommand, type Values } from '../command.js'
import { ask, isInteractive } from '../terminal.js'
import { nameOfUser } from './find.js'
import { userFlags, withUsers } from './open.js'

const flags = {
  email: { type: 'string', value: '<address>', summary: 'the address' },
  username: { type: 'string', value: '<name>', summary: 'the username' },
  verified: { type: 'boolean', summary: 'the address counts as confirmed' },
  field: { type: 'string', multiple: true, value: '<name=value>', summary: 'a user field; other than text as JSON' },
  'password-stdin': { type: 'boolean', summary: 'read the password from the standard input' },
  'no-password': { type: 'boolean', summary: 'ask for no password: the user sets one with a mailed link' },
  ...userFlags
} as const

export const createUser = defineCommand({
  flags,
  notes: 'On a terminal, the password is asked for twice. It is never a flag, because others can see those.',
  run: async ({ values }) => {
    if (values['password-stdin'] && values['no-password']) {
      throw new Error('users create: give --password-stdin or --no-password, not both')
    }
    return await withUsers('users create', values, async ({ restAuth: { users }, settings }) => {
      const fields = readFields(values.field ?? [], settings)
      const password = await readPassword(values)
      const input = {
        ...fields,
        ...(values.email !== undefined && { email: values.email }),
        ...(values.username !== undefined && { username: values.username }),
        ...(values.verified && { email_verified: true }),
        ...(password !== undefined && { password })
      }
      // Its type follows from the options, which are known only now; `create` checks it.
      const user = await users.create(input as unknown as Parameters<typeof users.create>[0])
      const hint = password === undefined && user.email !== null
        ? `${user.email} has no password; to let them choose one: fastify-rest-auth users send-reset ${user.pk}`
        : undefined
      return { text: `${nameOfUser(user)}: created`, data: user, note: hint }
    })
  }
})

/** Undefined for none. */
async function readPassword (values: Values<typeof flags>): Promise<string | undefined> {
  if (values['password-stdin']) {
    const password = (await text(process.stdin)).replace(/\r?\n$/, '')
    if (password === '') throw new Error('users create: there is no password on the standard input')
    return password
  }
  if (values['no-password'] || !isInteractive()) return undefined
  const [password, again] = await ask(['Password (empty for none): ', 'Again: '], { hidden: true })
  if (password !== again) throw new Error('users create: the two passwords are different')
  return password || undefined
}

const textKinds: ReadonlySet<ColumnKind> = new Set(['text', 'decimal'])

function readFields (given: readonly string[], { fields }: Context['settings']): Record<string, unknown> {
  return Object.fromEntries(given.map(pair => {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
    if (name === '') throw new Error(`users create: --field must be name=value, not "${pair}"`)
    const field = fields.find(field => field.name === name)
    if (!field) throw new Error(`users create: there is no user field ${name}`)
    return [name, textKinds.has(field.kind) ? value : jsonOrText(value)]
  }))
}
