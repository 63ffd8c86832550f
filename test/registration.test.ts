import { alice, fieldCodes, story } from './helper.js'

story('who registers is stored, logged in, and answered with tokens and the declared fields', async (t, build) => {
  const { post, get } = await build(t)
  const answer = await post('/registration', { ...alice, email: '  Alice@Example.COM ' })
  t.equal(answer.statusCode, 201)
  const { access, refresh, access_expiration: accessExpiration, user } = answer.json()
  t.match(user, { email: 'alice@example.com', gender: 'F', phone_number: '+15550100' })
  t.same(Object.keys(user), ['pk', 'email', 'gender', 'phone_number'])
  t.match(refresh, /^[\w-]{43}$/)
  t.equal(accessExpiration, '2026-11-23T12:05:00.000Z')
  t.same((await get('/user', { token: access })).json(), user)
})

story('everything wrong with a registration is reported at once, in the order of the schema', async (t, build) => {
  const { post, register } = await build(t)
  await register()
  const answer = await post('/registration', { gender: 'X', password2: 'y', password1: '123', email: 'ALICE@example.com' })
  t.equal(answer.statusCode, 400)
  t.same(fieldCodes(answer), {
    email: ['email_taken'],
    password1: ['password_too_short', 'password_entirely_numeric'],
    password2: ['password_mismatch'],
    gender: ['invalid_choice'],
    phone_number: ['required']
  })
  t.same(Object.keys(fieldCodes(answer)), ['email', 'password1', 'password2', 'gender', 'phone_number'])
})
