/** Attack: somebody registers a victim's address and says of the user what suits them. The owner gets none of it. */
import { Type } from '@sinclair/typebox'
import { uidAndTokenIn } from './support/answers.js'
import { alice, articleOptions, password, story, type BuiltApp } from './support/build.js'
import { withProvider } from './support/social-app.js'

const userFields = {
  ...articleOptions.userFields,
  first_name: { schema: Type.Optional(Type.String({ default: '' })) },
  note: { schema: Type.Optional(Type.String()), userDetails: 'hidden' },
  phone: { schema: Type.Optional(Type.String()), unique: true },
  rank: { schema: Type.String(), registration: 'hidden', userDetails: 'read-only' }
} as const
const said = { first_name: 'Mallory', note: 'mine', phone: '+666', username: 'mallory' }
const emptied = { gender: null, phone_number: null, first_name: '', note: null, phone: null }
const options = (emailVerification: string, username = 'optional') =>
  ({ userFields, account: { username, loginMethods: ['email', 'username'], emailVerification } })

async function resetPassword ({ post, mails }: BuiltApp, email = alice.email) {
  await post('/password/reset', { email })
  const link = uidAndTokenIn((await mails()).findLast(mail => uidAndTokenIn(mail).token !== ''))
  const answer = await post('/password/reset/confirm', { ...link, new_password1: 'Brand-new-pw-1' })
  if (answer.statusCode !== 200) throw new Error(answer.body)
}

story('a reset of an account whose address nobody has proven empties what was said of the user', async (t, build) => {
  for (const verification of ['optional', 'mandatory']) {
    const app = await build(t, { options: options(verification) })
    await app.post('/registration', { ...alice, ...said })
    const { pk } = await app.app.restAuth.users.find({ email: alice.email }) ?? { pk: '' }
    await app.app.restAuth.users.update(pk, { rank: 'gold' } as never)
    await resetPassword(app)
    const user = await app.app.restAuth.users.find({ email: alice.email })
    t.match(user, { ...emptied, username: null, rank: 'gold', email_verified: true }, verification)
    t.equal((await app.post('/login', { username: 'mallory', password: 'Brand-new-pw-1' })).statusCode, 400)
    const { access: token } = (await app.post('/login', { email: alice.email, password: 'Brand-new-pw-1' })).json()
    await app.patch('/user', { first_name: 'Alice', phone: '+1', gender: 'F' }, { token })
    await resetPassword(app)
    t.match(await app.app.restAuth.users.find({ pk }), { first_name: 'Alice', phone: '+1', gender: 'F' })
  }
})

story('a reset keeps the fields of a proven address, and of any if nobody verifies addresses', async (t, build) => {
  const proven = await build(t, { options: options('optional') })
  const { user } = (await proven.post('/registration', { ...alice, ...said })).json()
  await proven.app.restAuth.users.update(user.pk, { email_verified: true } as never)
  const none = await build(t, { options: options('none') })
  await none.post('/registration', { ...alice, ...said })
  for (const app of [proven, none]) {
    await resetPassword(app)
    t.match(await app.app.restAuth.users.find({ email: alice.email }), { ...said, gender: 'F' })
  }
})

story('a required username stays, because its owner needs it to log in', async (t, build) => {
  const app = await build(t, { options: options('optional', 'required') })
  await app.post('/registration', { ...alice, ...said })
  await resetPassword(app)
  t.match(await app.app.restAuth.users.find({ email: alice.email }), { ...emptied, username: 'mallory' })
  t.equal((await app.post('/login', { username: 'mallory', password: 'Brand-new-pw-1' })).statusCode, 200)
})

story('a provider that proves the address replaces what was said by what it says', async (t, build) => {
  for (const verification of ['none', 'optional', 'mandatory']) {
    const app = await withProvider(t, build, options(verification))
    await app.post('/registration', { ...alice, ...said })
    const { pk } = await app.app.restAuth.users.find({ email: alice.email }) ?? { pk: '' }
    await app.browser.comeBack(await app.openid.authorize(await app.browser.start('company'), 'alice'))
    const user = await app.app.restAuth.users.find({ pk })
    t.match(user, { ...emptied, first_name: 'Alice', username: null, email_verified: true }, verification)
    t.same(user?.missing_fields, ['gender', 'phone_number'])
    t.equal((await app.post('/login', { email: alice.email, password })).statusCode, 400)
  }
})
