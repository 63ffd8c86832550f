/**
 * Creates an account and logs the user in. With mandatory verification it sends a confirmation mail instead.
 *
 *   POST /registration   stores user, mail and session in one transaction with the app's hooks
 */
import type { FastifyRequest } from 'fastify'
import type { Contract } from '../../schemas/index.js'
import type { Body } from '../../schemas/route.js'
import { AddressTaken, mailOwnerInstead } from '../account/address-taken.js'
import { blankAsMismatch } from '../account/passwords.js'
import { checkMayRegister } from '../account/registration-policy.js'
import type { Feature } from '../context.js'
import type { Db } from '../db/database.js'
import type { NewUserRow } from '../db/tables.js'
import { Failure, fieldError, validOrThrow, type FieldError } from '../errors/failure.js'
import { canonicalEmail } from '../lib/email.js'
import { networkOf } from '../lib/network.js'
import { byPassword } from '../session/authentication-event.js'
import { insertUser } from '../store/users.js'
import { readBody, type ReadBody } from '../validation/body-validator.js'
import { inOrder } from '../validation/field-errors.js'

type Registration = Body<Contract['register']>

export const registration: Feature = (app, context) => {
  const { settings, contract, db, clock, events, limits, userRecords, passwords, sessions, outbox } = context
  const { hooks } = settings
  const { registration: rule, emailVerification } = settings.account
  // With mandatory verification the response must not show that an address is taken: its owner gets a mail instead.
  const isMandatory = emailVerification === 'mandatory'

  app.post(
    '/registration',
    { schema: contract.register, attachValidation: true, onRequest: request => checkMayRegister(rule, request) },
    async (request, reply) => {
      const read = readBody<Registration>(request)
      await limits.count('registration', request, { mailbox: canonicalEmail(read.body.email ?? '') })
      const { user, session } = await createAccount(await checkRegistration(read), request)
      outbox.wake()
      reply.code(201)
      if (!user || !session) return { detail: 'Verification e-mail sent.' }
      return await sessions.respond(db, { session, user }, request, reply)
    }
  )

  async function createAccount ({ password1, password2, ...input }: Registration, request: FastifyRequest) {
    const columns = { ...userRecords.defaultColumns(), ...userRecords.toColumns(input) }
    const passwordHash = await passwords.hash(password1, networkOf(request.ip))
    return await userRecords.withNewPk(db, async pk => {
      const session = isMandatory ? undefined : sessions.create(pk, request, byPassword)
      const user = await mailOwnerInstead({ db, outbox }, columns.email, async tx => {
        await hooks.registering?.(userRecords.withDefaults(input), tx.orm)
        const now = clock()
        const account = { pk, passwordHash, isActive: true, createdAt: now, lastLogin: session ? now : null }
        const user = await insertUser(tx, { ...columns, ...account })
        if (!user) throw await whatIsTaken(tx, pk, columns)
        await hooks.registered?.(userRecords.toUser(user), tx.orm)
        if (emailVerification !== 'none' && user.email !== null) {
          await outbox.enqueue(tx, 'email-verification', { userPk: pk })
        }
        await events.record(tx, request, { type: 'user_registered', userPk: pk })
        if (session) await sessions.insertLogin(tx, session, request)
        return user
      })
      return { user, session }
    })
  }

  async function whatIsTaken (tx: Db, pk: string, columns: Partial<NewUserRow>): Promise<Error> {
    await userRecords.throwIfPkTaken(tx, pk)
    const found = await userRecords.conflicts(tx, tellable(columns))
    // Nothing is found if the other account has released the value in the meantime.
    return found.length > 0 || !isMandatory ? new Failure('validation_error', { fields: found }) : new AddressTaken()
  }

  /** The columns of which the response may say that their value is taken. */
  const tellable = ({ email, ...others }: Partial<NewUserRow>) =>
    isMandatory || email === undefined ? others : { email, ...others }

  async function checkRegistration ({ body, invalid }: ReadBody<Registration>): Promise<Registration> {
    const { password1, password2, ...known } = body
    const conflicts = await userRecords.conflicts(db, tellable(userRecords.toColumns(known)))
    const mismatch = fieldError('password2', 'password_mismatch', {}, wholeBody(1))
    const ofFields = password1 === undefined ? invalid : blankAsMismatch(invalid, mismatch)
    const found: FieldError[] = [...ofFields, ...conflicts]
    if (password1 !== undefined) {
      const problems = await passwords.check('password1', password1, known)
      found.push(...problems.map(problem =>
        problem.code === 'password_too_similar' ? { ...problem, drf: wholeBody(2) } : problem))
      if (password2 !== undefined && password2 !== password1) found.push(mismatch)
    }
    return { ...known, ...validOrThrow({ password1 }, inOrder(contract.register.body, found)) }
  }
}

// Django compares the two passwords after the fields, checks the similarity last, and reports both for the whole body.
const wholeBody = (step: 1 | 2) => ({ field: 'non_field_errors', step })
