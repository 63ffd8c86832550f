/**
 * The owner of an account reads it and changes what the app lets him change.
 *
 *   GET /user   PUT /user   PATCH /user
 */
import type { FastifyRequest } from 'fastify'
import { identityOf } from '../session/authenticate.js'
import type { Feature } from '../context.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { failure, refuse } from '../errors/failure.js'
import { findUser, lockUser, updateUser } from '../store/users.js'
import { inOrder } from '../validation/field-errors.js'
import { readBody } from '../validation/body-validator.js'

export const user: Feature = (app, { settings, contract, db, accounts, authenticate }) => {
  const { getUser, replaceUser, updateUser: patchUser } = contract
  app.get('/user', { schema: getUser, onRequest: authenticate }, async request => accounts.toUser(identityOf(request).user))
  for (const [method, schema] of [['PUT', replaceUser], ['PATCH', patchUser]] as const) {
    app.route({ method, url: '/user', schema, attachValidation: true, onRequest: authenticate, handler: request => write(request, schema.body) })
  }

  async function write (request: FastifyRequest, schema: object) {
    const { user: known } = identityOf(request)
    const { pk } = known
    const { body, invalid } = readBody<Record<string, unknown>>(request)
    // Read-only by now: as with any such field, nothing that is sent in it can be wrong, or tell whose a value is.
    const settled = accounts.settled(known)
    const changes = accounts.columns(without(body, settled))
    refuse(inOrder(schema, [...invalid.filter(({ field }) => !settled.has(field)), ...await accounts.refused(db, changes, pk)]))
    const row = Object.keys(changes).length === 0 ? await findUser(db, pk) : await store(pk, changes)
    if (!row) throw failure('user_not_found')
    return accounts.toUser(row)
  }

  async function store (pk: string, changes: Partial<NewUserRow>): Promise<UserRow | undefined> {
    return await accounts.settle(db, changes, pk, async () => await db.transaction(async tx => {
      // Of two requests that give a field which is taken once, the second finds it given.
      const locked = accounts.hasTakenOnce(changes) ? await lockUser(tx, pk) : undefined
      const open = locked ? without(changes, accounts.settled(locked)) : changes
      if (Object.keys(open).length === 0) return locked
      const row = await updateUser(tx, pk, open)
      if (row) await settings.hooks.userUpdated?.(accounts.toUser(row), tx.orm)
      return row
    }))
  }
}

const without = (values: object, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)))
