/** `app.restAuth.sessions`: reads and ends sessions, and opens one for a login method of the app's own. */
import type { LoginAnswer, Session } from '../api-types.js'
import type { Context } from '../context.js'
import type { SessionRow } from '../db/tables.js'
import { failure } from '../errors/failure.js'
import type { RestAuth } from '../rest-auth.js'
import { authenticationOf } from '../session/authentication-event.js'
import { deleteSession, deleteSessions, listSessions } from '../store/sessions.js'
import { findUser } from '../store/users.js'
import { withoutQueryValues } from './without-query-values.js'

type SessionsApi = RestAuth['sessions']

export function createSessionsApi (
  { contract, db, events, userRecords, sessions, tokenTransport }: Context
): SessionsApi {
  const { storedPk } = userRecords
  const shownFields = Object.keys(contract.user.properties)

  const open: SessionsApi['open'] = async ({ pk }, request, reply, { amr = [] } = {}) => {
    checkAmr(amr)
    // As on our own routes: another site must not log its visitors in to an account of its own.
    tokenTransport.checkCsrf(request)
    reply.header('cache-control', 'no-store')
    const user = await findUser(db, storedPk(pk))
    if (!user) throw failure('user_not_found')
    const loggedIn = await sessions.logInIfUnchanged(db, user, request, { orElse: 'user_inactive', amr })
    return shown(await sessions.respond(db, loggedIn, request, reply))
  }

  /** Without the fields that clients may not see: the app's route has no response schema that would drop them. */
  const shown = ({ user, ...tokens }: Awaited<ReturnType<typeof sessions.respond>>): LoginAnswer => ({
    ...tokens,
    user: Object.fromEntries(shownFields.filter(name => name in user).map(name => [name, user[name]]))
  })

  const list: SessionsApi['list'] = async pk => (await listSessions(db, storedPk(pk))).map(toSession)
  const end: SessionsApi['end'] = async id => await db.transaction(async tx => {
    const ended = await deleteSession(tx, id)
    if (ended) await events.record(tx, undefined, { type: 'session_ended', userPk: ended.userPk, sessionId: id })
    return ended !== undefined
  })
  const endAll: SessionsApi['endAll'] = async pk => await db.transaction(async tx => {
    await deleteSessions(tx, storedPk(pk))
    await events.record(tx, undefined, { type: 'sessions_ended', userPk: storedPk(pk) })
  })

  return withoutQueryValues<SessionsApi>({ open, list, end, endAll })
}

function toSession (row: SessionRow): Session {
  const { userPk: _owner, graceUsesByOthers: _uses, ...session } = row
  return { ...session, amr: [...authenticationOf(row).amr] }
}

function checkAmr (amr: readonly string[]): void {
  const areMethods = Array.isArray(amr) && amr.every(method => typeof method === 'string' && /^[\w-]{1,32}$/.test(method))
  if (!areMethods) throw new TypeError("sessions.open: amr must be a list of methods of RFC 8176, such as ['otp']")
}
