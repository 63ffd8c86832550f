import { Rejection } from '../src/index.js'
import { alice, fieldCodes, password, story } from './support/build.js'

const next = 'Brand-new-pw-1'

story('a new password takes the old one\'s place, and every other session ends', async (t, build) => {
  const { post, get, register } = await build(t)
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json().access
  const answer = await post(
    '/password/change',
    { old_password: password, new_password1: next, new_password2: next },
    { token }
  )
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { detail: 'New password has been saved.' })
  t.equal((await get('/user', { token })).statusCode, 200)
  t.equal((await get('/user', { token: other })).statusCode, 401)
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 400)
  t.equal((await post('/login', { email: alice.email, password: next })).statusCode, 200)
})

story('the old password is asked for, and everything wrong is reported at once', async (t, build) => {
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
    await change({ old_password: password, new_password1: user.pk }),
    {},
    'the pk is nothing that people choose passwords after: a few digits would be like it by chance'
  )
})

story('by option the old password is not asked for, and other sessions stay', async (t, build) => {
  const { post, get, register } = await build(t, {
    options: { password: { requireOld: false, logoutOnChange: false } }
  })
  const { access: token } = await register()
  const other = (await post('/login', { email: alice.email, password })).json().access
  t.equal((await post('/password/change', { new_password1: next }, { token })).statusCode, 200)
  t.equal((await get('/user', { token: other })).statusCode, 200)
})

story('the app may refuse a change from its hook', async (t, build) => {
  const { post, register } = await build(t, {
    options: {
      hooks: {
        passwordChanged: () => {
          throw new Rejection('Not on a Monday.')
        }
      }
    }
  })
  const { access: token } = await register()
  const answer = await post('/password/change', { old_password: password, new_password1: next }, { token })
  t.match(answer.json(), { status: 400, code: 'rejected', detail: 'Not on a Monday.' })
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})

story('the app hears of a change inside its transaction, and a throw undoes it', async (t, build) => {
  const { post, register } = await build(t, {
    options: {
      hooks: {
        passwordChanged: async () => {
          throw new Error('not today')
        }
      }
    }
  })
  const { access: token } = await register()
  t.equal(
    (await post('/password/change', { old_password: password, new_password1: next }, { token, fault: true }))
      .statusCode,
    500
  )
  t.equal((await post('/login', { email: alice.email, password })).statusCode, 200)
})
