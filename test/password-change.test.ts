import { Rejection } from '../src/index.js'
import { alice, fieldCodes, password, story } from './support/build.js'

const next = 'Brand-new-pw-1'

story('a new password replaces the old one, and every other session ends', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json().access
  const change = { old_password: password, new_password1: next, new_password2: next }
  const answer = await post('/password/change', change, { token })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { detail: 'New password has been saved.' })
  t.equal((await get('/user', { token })).statusCode, 200)
  t.equal((await get('/user', { token: other })).statusCode, 401)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 400)
  t.equal((await post('/login', { email: alice.email, password: next })).statusCode, 200)
})

story('the old password is required, and all errors are reported at once', async (t, build) => {
  const { post, register } = await build(t)
  const { access: token, user } = await register()
  const change = async (body: object) => fieldCodes(await post('/password/change', body, { token }))
  t.same(await change({ new_password1: next }), { old_password: ['required'] })
  t.same(await change({ old_password: 'wrong', new_password1: '123', new_password2: 'x' }), {
    old_password: ['wrong_password'],
    new_password1: ['password_too_short', 'password_entirely_numeric'],
    new_password2: ['password_mismatch']
  })
  t.same(await change({ old_password: 'wrong' }), { old_password: ['wrong_password'], new_password1: ['required'] })
  t.same(await change({ old_password: password, new_password1: next, new_password2: 'x' }), {
    new_password2: ['password_mismatch']
  })
  t.same(await change({ old_password: password, new_password1: '1234' }), {
    new_password1: ['password_too_short', 'password_too_common', 'password_entirely_numeric']
  })
  t.same(await change({ old_password: password, new_password1: 'alice@example' }), {
    new_password1: ['password_too_similar']
  })
  t.same(await change({ old_password: '', new_password1: null }), { old_password: ['blank'], new_password1: ['null'] })
  t.same(
    await change({ old_password: password, new_password1: `my key is ${user.pk}` }), {},
    'similarity to the pk is not checked: a few digits would match it by chance'
  )
})

story('options can make the old password unnecessary and keep other sessions', async (t, build) => {
  const { post, get, register } = await build(t, {
    options: { password: { requireOld: false, logoutOnChange: false } }
  })
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json().access
  t.equal((await post('/password/change', { new_password1: next }, { token })).statusCode, 200)
  t.equal((await get('/user', { token: other })).statusCode, 200)
})

story('the passwordChanged hook can refuse a change', async (t, build) => {
  const hooks = { passwordChanged: () => { throw new Rejection('Not on a Monday.') } }
  const { post, register } = await build(t, { options: { hooks } })
  const { access: token } = await register()
  const answer = await post('/password/change', { old_password: password, new_password1: next }, { token })
  t.match(answer.json(), { status: 400, code: 'rejected', detail: 'Not on a Monday.' })
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})

story('the passwordChanged hook runs inside the transaction, and a throw undoes the change', async (t, build) => {
  const hooks = { passwordChanged: async () => { throw new Error('not today') } }
  const { post, register } = await build(t, { options: { hooks } })
  const { access: token } = await register()
  const change = { old_password: password, new_password1: next }
  t.equal((await post('/password/change', change, { token, fault: true })).statusCode, 500)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})
