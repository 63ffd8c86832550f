/**
 * Whoever may, creates an account, and is logged in to it; where verification is mandatory, is mailed instead.
 *
 *   POST /registration   stores the user, the mail and the first session, in one transaction with the app's hooks
 */
import type { FastifyRequest } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Contract } from '../../schemas/index.js'
import type { Body } from '../../schemas/route.js'
import { checkMayRegister } from '../account/registration-policy.js'
import type { Feature } from '../context.js'
import type { Db } from '../db/database.js'
import type { NewUserRow, UserRow } from '../db/tables.js'
import { Failure, fieldError, throwIfInvalid, type FieldError } from '../errors/failure.js'
import { insertUser } from '../store/users.js'
import { readBody } from '../validation/body-validator.js'
import { inOrder } from '../validation/field-errors.js'

type Registration = Body<Contract['register']>

export const registration: Feature = (
  app,
  { settings, contract, db, clock, userRecords, passwords, sessions, outbox }
) => {
  const { hooks } = settings
  const { registration: rule, emailVerification } = settings.account
  // Who has to prove the address first is not told that it has an account already: its owner is.
  const isMandatory = emailVerification === 'mandatory'

  app.post(
    '/registration',
    {
      schema: contract.register,
      attachValidation: true,
      onRequest: request => checkMayRegister(rule, request)
    },
    async (request, reply) => {
      const { password1, password2, ...input } = await acceptable(request)
      const columns = { ...userRecords.defaultColumns(), ...userRecords.toColumns(input) }
      const passwordHash = await passwords.hash(password1)
      const pk = uuid()
      const session = isMandatory ? undefined : sessions.create(pk, request)

      const row = await unlessTaken(columns, async tx => {
        await hooks.registering?.(input, tx.orm)
        const user = await insertUser(tx, {
          ...columns,
          pk,
          passwordHash,
          isActive: true,
          createdAt: clock(),
          lastLogin: session ? clock() : null
        })
        if (!user) throw await whatIsTaken(tx, columns)
        await hooks.registered?.(userRecords.toUser(user), tx.orm)
        if (emailVerification !== 'none' && user.email !== null) { await outbox.enqueue(tx, 'email-verification', { userPk: pk }) }
        if (session) await sessions.insert(tx, session)
        return user
      })
      outbox.wake()

      reply.code(201)
      if (!row || !session) return { detail: 'Verification e-mail sent.' }
      return await sessions.respond(db, session, userRecords.toUser(row), request, reply)
    }
  )

  /** Stores the account; where its address is taken and that may not be told, the owner gets a mail instead of it. */
  async function unlessTaken (
    columns: Partial<NewUserRow>,
    work: (tx: Db) => Promise<UserRow>
  ): Promise<UserRow | undefined> {
    try {
      return await db.transaction(work)
    } catch (error) {
      // What the app's hook wrote is rolled back: it was for an account that is none.
      if (!(error instanceof AddressTaken)) throw error
      await outbox.enqueue(db, 'account-exists', { address: columns.email ?? undefined })
      return undefined
    }
  }

  async function whatIsTaken (tx: Db, columns: Partial<NewUserRow>): Promise<Error> {
    const found = await userRecords.conflicts(tx, tellable(columns))
    // Where nothing is found, whoever was faster has let go of it since: there is nothing to name.
    return found.length > 0 || !isMandatory ? new Failure('validation_error', { fields: found }) : new AddressTaken()
  }

  const tellable = ({ email, ...others }: Partial<NewUserRow>) =>
    isMandatory || email === undefined ? others : { email, ...others }

  /** The body, or a failure that tells everything that is wrong with it at once. */
  async function acceptable (request: FastifyRequest): Promise<Registration> {
    const { body, invalid } = readBody<Registration>(request)
    const { password1, password2, ...known } = body
    const found: FieldError[] = [
      ...invalid,
      ...(await userRecords.conflicts(db, tellable(userRecords.toColumns(known))))
    ]
    if (password1 !== undefined) {
      // Django compares the pair after the fields, and judges likeness last; both concern the whole.
      const whole = (step: 1 | 2) => ({ field: 'non_field_errors', step })
      const problems = await passwords.check('password1', password1, known)
      found.push(
        ...problems.map(problem => (problem.code === 'password_too_similar' ? { ...problem, drf: whole(2) } : problem))
      )
      if (password2 !== undefined && password2 !== password1) { found.push(fieldError('password2', 'password_mismatch', {}, whole(1))) }
    }
    throwIfInvalid(inOrder(contract.register.body, found))
    // Nothing was found wrong: the body is whole.
    return body as Registration
  }
}

/** Not to be told to whoever registers. */
class AddressTaken extends Error {}
