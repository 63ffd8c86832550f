/**
 * Lets users read their account and change the fields that the app allows.
 *
 *   GET   /user
 *   PUT   /user   replaces the fields
 *   PATCH /user   changes the fields that are sent
 *
 * A change of the username needs recent authentication.
 */
import type { FastifyRequest } from 'fastify'
import type { Feature } from '../context.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { failure, throwIfInvalid } from '../errors/failure.js'
import { authenticatedUserOf, requireRecentAuthentication } from '../session/authenticate.js'
import { findUser, lockUser, updateUser } from '../store/users.js'
import { readBody } from '../validation/body-validator.js'
import { inOrder } from '../validation/field-errors.js'

export const user: Feature = (app, context) => {
  const { settings, contract, db, clock, events, userRecords, authenticate } = context
  const { getUser, replaceUser, updateUser: patchUser } = contract

  app.get('/user', { schema: getUser, onRequest: authenticate }, async request =>
    await userRecords.toAnswer(authenticatedUserOf(request).user)
  )

  for (const [method, schema] of [['PUT', replaceUser], ['PATCH', patchUser]] as const) {
    app.route({
      method,
      url: '/user',
      schema,
      attachValidation: true,
      onRequest: authenticate,
      handler: async request => await write(request, schema.body)
    })
  }

  async function write (request: FastifyRequest, schema: object) {
    const { user: known } = authenticatedUserOf(request)
    const { pk } = known
    const { body, invalid } = readBody<Record<string, unknown>>(request)
    // Write-once fields that have a value are ignored: an error could reveal what other users have.
    const fixed = userRecords.fixedFields(known)
    const changes = userRecords.toColumns(without(body, fixed))
    if (changesLoginName(known, changes)) requireRecentAuthentication(request, clock())
    const conflicts = await userRecords.conflicts(db, changes, pk)
    throwIfInvalid(inOrder(schema, [...invalid.filter(({ field }) => !fixed.has(field)), ...conflicts]))
    const row = Object.keys(changes).length === 0 ? await findUser(db, pk) : await store(request, pk, changes)
    if (!row) throw failure('user_not_found')
    return await userRecords.toAnswer(row)
  }

  async function store (
    request: FastifyRequest, pk: string, changes: Partial<NewUserRow>
  ): Promise<UserRow | undefined> {
    return await userRecords.retryOnConflict(db, changes, pk, async () => await db.transaction(async tx => {
      // A field can be write-once: the lock makes the second of two requests see the value of the first.
      const locked = userRecords.hasWriteOnceField(changes) ? await lockUser(tx, pk) : undefined
      const allowed = locked ? without(changes, userRecords.fixedFields(locked)) : changes
      if (Object.keys(allowed).length === 0) return locked
      const row = await updateUser(tx, pk, allowed)
      if (!row) return undefined
      await events.record(tx, request, { type: 'user_updated', userPk: pk, fields: userRecords.fieldsOf(allowed) })
      await settings.hooks.userUpdated?.(userRecords.toUser(row), tx.orm)
      return row
    }))
  }
}

/** Whether the user would have to log in with another name. To give a first one takes none away from its owner. */
const changesLoginName = ({ usernameKey: known }: UserRow, { usernameKey: next }: Partial<NewUserRow>): boolean =>
  known !== null && next !== undefined && next !== known

const without = (values: object, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)))
