/**
 * Who is logged in and knows the old password sets a new one; every other session ends.
 *
 *   POST /password/change
 */
import { identityOf } from '../authenticate.js'
import type { Feature } from '../context.js'
import { fieldError, refuse } from '../errors.js'
import { deleteSessions } from '../store/sessions.js'
import { replacePassword } from '../store/users.js'

export const passwordChange: Feature = (app, { settings, contract, db, accounts, passwords, authenticate }) => {
  const { requireOld, logoutOnChange } = settings.password

  app.post('/password/change', { schema: contract.changePassword, onRequest: authenticate }, async request => {
    const { user, sessionId } = identityOf(request)
    const { old_password: old = '', new_password1: password, new_password2: repeated } = request.body
    if (requireOld && !await passwords.verify(user.passwordHash, old)) refuse([fieldError('old_password', 'wrong_password')])
    if (repeated !== undefined && repeated !== password) {
      refuse([{ ...fieldError('new_password2', 'password_mismatch'), message: 'The two password fields didn’t match.' }])
    }
    // Django names the second field when the password is weak.
    refuse((await passwords.problems('new_password1', password, accounts.toUser(user))).map(problem => ({ ...problem, drf: 'new_password2' })))

    const hash = await passwords.hash(password)
    await db.transaction(async tx => {
      const changed = await replacePassword(tx, user.pk, user.passwordHash, hash)
      // Another change was faster, and what was verified is no longer the password.
      if (!changed) return refuse([fieldError('old_password', 'wrong_password')])
      if (logoutOnChange) await deleteSessions(tx, user.pk, sessionId)
      await settings.hooks.passwordChanged?.(accounts.toUser(changed), tx.orm)
    })
    return { detail: 'New password has been saved.' }
  })
}
