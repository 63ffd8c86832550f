/** Which account a provider identity logs in to, how accounts are created, and how users (dis)connect identities. */
import { Type } from '@sinclair/typebox'
import type { LightMyRequestResponse } from 'fastify'
import { Rejection } from '../src/index.js'
import { likeGoogle, withBadProvider, type BadSetup } from './support/hostile-provider-app.js'
import { emailLies, startBadProvider, type BadPerson } from './support/hostile-provider.js'
import {
  alice, articleOptions, cookiesOf, password, sqliteBuild, story, t, type Build, type BuiltApp, type Test
} from './support/build.js'
import { temporaryFile } from './support/databases.js'

const mandatory = { account: { ...articleOptions.account, emailVerification: 'mandatory' } }
const optional = { account: { ...articleOptions.account, emailVerification: 'optional' } }
const other = 'Another-Passw0rd'

const codeOf = (answer: LightMyRequestResponse): string => answer.statusCode === 200 ? 'logged in' : answer.json().code
const pkOf = (answer: LightMyRequestResponse): string =>
  answer.statusCode === 200 ? answer.json().user.pk : answer.json().code
/** Everything a client can see of an answer. */
const whole = ({ statusCode, headers: { date: _date, ...headers }, body }: LightMyRequestResponse) => ({
  statusCode,
  headers,
  body
})
const verified = async ({ app }: BuiltApp, email = alice.email) =>
  (await app.restAuth.users.find({ email }))?.email_verified
const verify = async ({ app }: BuiltApp, pk: string) => await app.restAuth.users.update(pk, { email_verified: true })
const logIn = async ({ post }: BuiltApp, password1 = password) =>
  await post('/login', { email: alice.email, password: password1 })

/** The newest mail to an address, with the key or token of its link. */
async function newestMail ({ mails }: BuiltApp, to = alice.email) {
  const mail = (await mails()).filter(mail => mail.to === to).at(-1)
  const [, uid, token] = /confirm\/([^/\s]+)\/([\w-]{43})/.exec(mail?.text ?? '') ?? []
  const [, key] = /confirm-email\/([\w-]{43})/.exec(mail?.text ?? '') ?? []
  return { subject: mail?.subject, text: mail?.text ?? '', uid, token, key }
}

// Attack: taking over an account by taking over its old address or names at the provider.
story('an identity is an issuer and a subject; changed names or addresses do not change it', async (t, build) => {
  const second = await startBadProvider(t)
  const { bad, enter, post, app } = await withBadProvider(t, build, {
    provider: { trustEmail: false },
    social: () => ({ second: { issuer: second.issuer, clientId: second.clientId, clientSecret: 'any' } })
  })
  const pk = pkOf(await enter('alice'))
  Object.assign(bad.people.alice ?? {}, { email: 'alice@new.example', given_name: 'Alicia' })
  bad.claims = { preferred_username: 'alicia', upn: 'alicia@new.example', name: 'Alicia' }
  t.equal(pkOf(await enter('alice')), pk, 'the same identity with a new address and new names')
  t.equal((await app.restAuth.users.find({ pk }))?.email, 'alice@example.com', 'the address of the account stays')

  Object.assign(bad.people.bob ?? {}, { email: 'alice@example.com' })
  t.equal(pkOf(await enter('bob')), 'account_exists', 'the new owner of her address gets no access')
  Object.assign(bad.people.bob ?? {}, { email: 'bob@example.com' })
  const bob = (await enter('bob')).json()
  t.not(bob.user.pk, pk, 'nor does a user with the same names')

  t.equal(
    pkOf(await post('/second', { code: 'code-alice' })),
    'account_exists',
    'the same subject of another issuer is another identity'
  )
  Object.assign(second.people.alice ?? {}, { email: 'other@example.com' })
  t.notOk([pk, bob.user.pk].includes(pkOf(await post('/second', { code: 'code-alice' }))))
})

story('subjects are compared byte for byte', async (t, build) => {
  const subjects = [
    'x',
    'X',
    'x ',
    ' x',
    '\u1e8b',
    'x\u0307',
    '1',
    '01',
    '1.0',
    'x\u200b',
    '__proto__',
    '%',
    'x%',
    '😀',
    'a'.repeat(255)
  ]
  const people = Object.fromEntries(
    subjects.map((sub, index) => [`p${index}`, { sub, email: `p${index}@example.com`, email_verified: true }])
  )
  const { enter } = await withBadProvider(t, build, { people })
  const pks = []
  for (const person of Object.keys(people)) pks.push(pkOf(await enter(person)))
  t.equal(new Set(pks).size, subjects.length)
  for (const [index, person] of Object.keys(people).entries()) {
    t.equal(pkOf(await enter(person)), pks[index], subjects[index] ?? '')
  }
})

story('identities of two providers share one account if both prove the address', async (t, build) => {
  const second = await startBadProvider(t)
  const { enter, post, get, app, mails } = await withBadProvider(t, build, {
    social: () => ({
      second: {
        issuer: second.issuer,
        clientId: second.clientId,
        clientSecret: 'any',
        trustEmail: true,
        label: 'Second & Sons'
      }
    })
  })
  const pk = pkOf(await enter('alice'))
  t.equal((await mails()).length, 0, 'no mail about a new account')
  const answer = await post('/second', { code: 'code-alice' })
  t.equal(pkOf(answer), pk)
  t.match(await mails(), [{ to: alice.email, subject: '[localhost:3000] You can now log in with Second & Sons' }])
  t.same((await app.restAuth.socialAccounts.list(pk)).map(({ provider }) => provider), ['company', 'second'])
  t.equal((await get('/user', { token: answer.json().access })).json().pk, pk)
})

const missing = [
  'no address', 'an address that is null', 'an address that is none', 'two addresses', 'a list of addresses',
  'an address of two lines', 'an endless address'
]

void t.test('an address is verified only if the claim email_verified is true or the word', async t => {
  const built = await withBadProvider(t, sqliteBuild, { options: { account: { ...optional.account } } })
  const { bad, enter, app, mails } = built
  for (const lie of emailLies) {
    bad.lie = lie
    const answer = await enter('alice', { fault: true })
    const user = await app.restAuth.users.find({ email: alice.email })
    if (missing.includes(lie)) {
      t.equal(answer.statusCode, 502, lie)
      t.equal(codeOf(answer), 'provider_email_missing', lie)
      t.equal(user, undefined, lie)
    } else {
      t.equal(codeOf(answer), 'logged in', lie)
      t.equal(user?.email_verified, lie === 'an address that is verified in words', lie)
      await app.restAuth.users.delete(user?.pk ?? '')
    }
  }
  bad.lie = undefined
  t.equal(codeOf(await enter('alice')), 'logged in', 'with the correct claim')
  t.equal(await verified(built), true)
  t.equal((await mails()).length, 0, 'no mail to deleted users or verified addresses')
})

void t.test('an address is verified only if trustEmail covers its domain', async t => {
  const bob = { email: 'bob@mail.example.com', email_verified: true }
  const rows = [
    [true, true],
    [false, false],
    [['MAIL.example.com'], true],
    [['other.example', 'mail.example.com'], true],
    [['example.com'], false],
    [['ail.example.com'], false],
    [[], false],
    [undefined, false]
  ] as const
  for (const [trustEmail, expected] of rows) {
    const built = await withBadProvider(t, sqliteBuild, {
      options: optional,
      provider: { trustEmail },
      people: { bob }
    })
    t.equal(codeOf(await built.enter('bob')), 'logged in')
    t.equal(await verified(built, bob.email), expected, JSON.stringify(trustEmail))
    const mails = await built.mails()
    t.equal(mails.length, expected ? 0 : 1, 'an unverified address gets a verification mail')
    if (!expected) {
      t.equal(
        (await built.post('/registration/verify-email', { key: (await newestMail(built, bob.email)).key })).statusCode,
        200
      )
    }
    t.equal(await verified(built, bob.email), true)
  }
})

void t.test('by default a provider is trusted for the mailboxes that it hosts', async t => {
  const people = {
    a: { email: 'a@gmail.com', email_verified: true },
    b: { email: 'b@works.example', email_verified: true },
    c: { email: 'c@gmail.com.evil.example', email_verified: true }
  }
  const built = await withBadProvider(t, sqliteBuild, { social: bad => ({ google: likeGoogle(bad) }), people })
  const logInAs = async (person: string, hd?: string) => {
    built.bad.claims = { hd }
    t.equal(codeOf(await built.post('/google', { code: `code-${person}` })), 'logged in')
    return await verified(built, people[person as keyof typeof people].email)
  }
  t.equal(await logInAs('a'), true)
  t.equal(await logInAs('c', 'evil.example'), false)
  t.equal(await logInAs('b', undefined), false)
  t.equal(await logInAs('b', 'works.example'), true, 'a Workspace domain (hd), even in a later login')
  const none = await withBadProvider(t, sqliteBuild, {
    options: { account: { emailVerification: 'none' } },
    provider: { trustEmail: false }
  })
  t.equal(codeOf(await none.enter('alice')), 'logged in')
  t.equal((await none.mails()).length, 0, 'emailVerification: none sends no mail')
})

story('with mandatory verification, an unverified address must be verified before the login', async (t, build) => {
  const built = await withBadProvider(t, build, { options: mandatory, provider: { trustEmail: false } })
  const { enter, post, app } = built
  for (const answer of [await enter('alice'), await enter('alice')]) {
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'email_not_verified' })
    t.same(answer.cookies, [])
  }
  const { pk = '' } = await app.restAuth.users.find({ email: alice.email }) ?? {}
  t.same(await app.restAuth.sessions.list(pk), [])
  const { key } = await newestMail(built)
  t.equal((await post('/registration/verify-email', { key })).statusCode, 200)
  t.equal(pkOf(await enter('alice')), pk)
})

story('a new identity logs in to an existing account if both have a verified address', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional })
  const { register, enter, get, app, post } = built
  const { access, refresh, user } = await register()
  await verify(built, user.pk)
  t.equal(pkOf(await enter('alice')), user.pk)
  t.equal((await newestMail(built)).subject, '[localhost:3000] You can now log in with company')
  t.equal((await get('/user', { token: access })).statusCode, 200, 'existing sessions continue')
  t.equal((await post('/token/refresh', { refresh })).statusCode, 200)
  t.equal(pkOf(await logIn(built)), user.pk)
  t.equal((await app.restAuth.socialAccounts.list(user.pk)).length, 1)
})

// Attack: account takeover with an unverified address at the provider.
story('an unverified address of a provider does not log in to an existing account', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional, provider: { trustEmail: false } })
  const { register, enter, app } = built
  const { user } = await register()
  const tries = async () => {
    const answer = await enter('alice')
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'account_exists', detail: 'User is already registered with this e-mail address.' })
    t.same(await app.restAuth.socialAccounts.list(user.pk), [])
  }
  await tries()
  await verify(built, user.pk)
  await tries()
})

story('with mandatory verification, a social login does not reveal whether an account exists', async (t, build) => {
  const built = await withBadProvider(t, build, { options: mandatory, provider: { trustEmail: false } })
  const { enter, post, app } = built
  await post('/registration', { ...alice, email: alice.email })
  await post('/registration/verify-email', { key: (await newestMail(built)).key })
  const { pk = '' } = await app.restAuth.users.find({ email: alice.email }) ?? {}
  const [taken, free] = [await enter('alice'), await enter('bob')]
  t.same(whole(taken), whole(free))
  t.equal(taken.statusCode, 400)
  t.same(await app.restAuth.socialAccounts.list(pk), [])
  t.equal((await newestMail(built)).subject, '[localhost:3000] You already have an account')
  t.match((await newestMail(built, 'bob@example.com')).subject, /confirm/i)
  t.same(whole(await enter('alice')), whole(await enter('bob')), 'also the second time')
  await app.restAuth.users.deactivate(pk)
  t.same(whole(await enter('alice')), whole(free), 'deactivation is not revealed either')
})

void t.test('a rejection by the registering hook does not reveal whether an account exists', async t => {
  const heard: unknown[] = []
  const registering = async ({ email }: { email: string }) => {
    heard.push(email)
    throw new Rejection('Staff only.')
  }
  const { enter, app, mails } = await withBadProvider(t, sqliteBuild, {
    options: { ...mandatory, userFields: {}, hooks: { registering } },
    provider: { trustEmail: false }
  })
  await app.restAuth.users.create({ email: alice.email, password, email_verified: true } as never)
  const [taken, free] = [await enter('alice'), await enter('bob')]
  t.same(whole(taken), whole(free))
  t.match(taken.json(), { code: 'rejected', detail: 'Staff only.' })
  t.same(heard, ['alice@example.com', 'bob@example.com'])
  t.equal((await mails()).length, 0)
})

// Attack: pre-hijacking. Somebody registers with the victim's address and waits for the victim to log in.
story('a login that proves the address of an unverified account ends all other access to it', async (t, build) => {
  const heard: unknown[] = []
  const second = await startBadProvider(t)
  const built = await withBadProvider(t, build, {
    options: {
      ...optional,
      hooks: {
        emailVerified: ({ email, email_verified: proven }: { email: string; email_verified: boolean }) => {
          heard.push([email, proven])
        }
      }
    },
    social: () => ({ second: { issuer: second.issuer, clientId: second.clientId, clientSecret: 'any' } })
  })
  const { register, enter, get, post, app, mails, clock } = built
  const { access, refresh, user } = await register()
  Object.assign(second.people.bob ?? {}, { email: 'mallory@example.com' })
  const connected = await post('/second/connect', { code: 'code-bob' }, { token: access })
  t.equal(connected.statusCode, 200)
  const { key } = await newestMail(built)
  clock.advance(181)
  await post('/password/reset', { email: alice.email })
  const { uid, token } = await newestMail(built)
  t.ok(key && token)
  const count = (await mails()).length

  const answer = await enter('alice')
  t.equal(pkOf(answer), user.pk)
  t.equal(await verified(built), true)
  t.same(heard, [[alice.email, true]])
  t.equal(codeOf(await logIn(built)), 'invalid_credentials', 'the password')
  for (const token of [access, connected.json().access]) {
    t.equal((await get('/user', { token })).statusCode, 401, 'the sessions')
  }
  for (const token of [refresh, connected.json().refresh]) {
    t.equal((await post('/token/refresh', { refresh: token })).statusCode, 401)
  }
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: other })).statusCode, 400, 'the links')
  t.equal((await post('/registration/verify-email', { key })).statusCode, 404)
  t.not(pkOf(await post('/second', { code: 'code-bob' })), user.pk, 'the old connections are removed')
  t.match(await app.restAuth.socialAccounts.list(user.pk), [{ provider: 'company', subject: 'alice' }])
  t.equal((await mails()).length, count + 2, 'one mail to alice, and a verification mail to mallory')
  t.equal((await get('/user', { token: answer.json().access })).json().pk, user.pk)
  t.equal(pkOf(await enter('alice')), user.pk)
  t.equal(heard.length, 1, 'once')
})

story('an address proven later removes other identities, but only if the account has no password', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional })
  const { bad, enter, app, register, post, get } = built
  bad.lie = 'an address that nobody has verified'
  const { access, user } = (await enter('alice')).json()
  bad.lie = undefined
  const connected = await built.connect('bob', access)
  t.equal(connected.statusCode, 200)
  t.equal(pkOf(await enter('alice')), user.pk)
  t.equal(await verified(built), true)
  t.same((await app.restAuth.socialAccounts.list(user.pk)).map(({ subject }) => subject), ['alice'])
  t.equal((await get('/user', { token: connected.json().access })).statusCode, 401)

  await app.restAuth.users.delete(user.pk)
  const registered = await register()
  t.equal((await built.connect('alice', registered.access)).statusCode, 200)
  t.equal(pkOf(await enter('alice')), registered.user.pk)
  t.equal(await verified(built), false)
  t.equal(
    (await post('/login', { email: alice.email, password })).statusCode,
    200,
    'the password is kept'
  )
})

// Attack: pre-hijacking with an identity that claims the victim's address.
story('a password reset by the owner of the address removes planted identities', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional, provider: { trustEmail: false } })
  const { bad, enter, connect, get, post, app } = built
  Object.assign(bad.people.bob ?? {}, { email: alice.email })
  const first = (await enter('bob')).json()
  const { access } = (await connect('alice', first.access)).json()
  await post('/password/reset', { email: alice.email })
  const { uid, token } = await newestMail(built)
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: other })).statusCode, 200)
  t.same(await app.restAuth.socialAccounts.list(first.user.pk), [])
  t.equal((await get('/user', { token: access })).statusCode, 401)
  t.equal(codeOf(await enter('bob')), 'account_exists')
  t.equal(codeOf(await enter('alice')), 'account_exists')
  t.equal(pkOf(await logIn(built, other)), first.user.pk, 'the owner has the account')
})

story('a password reset keeps the connections if the address was verified before', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional })
  const { enter, post } = built
  const pk = pkOf(await enter('alice'))
  await post('/password/reset', { email: alice.email })
  const { uid, token } = await newestMail(built)
  t.equal((await post('/password/reset/confirm', { uid, token, new_password1: other })).statusCode, 200)
  t.equal(pkOf(await enter('alice')), pk)
})

// Attack: finding out that an account exists but is deactivated.
story('a social login to a deactivated account looks like a wrong password, and changes nothing', async (t, build) => {
  const built = await withBadProvider(t, build)
  const { register, enter, connect, app, clock } = built
  const { user, access } = await register()
  t.equal((await connect('bob', access)).statusCode, 200)
  const [before] = await app.restAuth.socialAccounts.list(user.pk)
  await app.restAuth.users.deactivate(user.pk)
  clock.advance(60)
  const refused = await logIn(built, 'Wrong-passw0rd')
  t.equal(codeOf(refused), 'invalid_credentials')
  t.same(whole(await enter('bob')), whole(refused), 'with a connected identity')
  t.same(whole(await enter('alice')), whole(refused), 'with a new identity that has proven the address')
  t.same(await app.restAuth.socialAccounts.list(user.pk), [before])
  t.same(await app.restAuth.sessions.list(user.pk), [])
  t.match(await app.restAuth.users.find({ pk: user.pk }), { is_active: false, email_verified: false })
  await app.restAuth.users.activate(user.pk)
  t.equal(pkOf(await enter('bob')), user.pk)
})

story('with closed registration, only users who have an account can log in', async (t, build) => {
  let verdict: boolean | string = true
  const { enter, bad, app } = await withBadProvider(t, build, {
    options: { account: { ...articleOptions.account, registration: () => verdict } }
  })
  await app.restAuth.users.create({
    email: 'bob@example.com',
    email_verified: true,
    gender: 'F',
    phone_number: '+1'
  } as never)
  const pk = pkOf(await enter('alice'))
  for (verdict of [false, 'Come back in May.']) {
    t.equal(pkOf(await enter('alice')), pk)
    bad.people.carol = { email: 'carol@example.com', email_verified: true }
    const answer = await enter('carol')
    t.equal(answer.statusCode, 403)
    t.match(answer.json(), {
      code: 'registration_closed',
      detail: verdict || 'You do not have permission to perform this action.'
    })
    t.equal(await app.restAuth.users.find({ email: 'carol@example.com' }), undefined)
  }
  t.equal(codeOf(await enter('bob')), 'logged in', 'a new identity for an existing account may log in')
})

void t.test('closed registration does not reveal whether an address has an account', async t => {
  const { enter, app, mails } = await withBadProvider(t, sqliteBuild, {
    options: { account: { ...mandatory.account, registration: 'closed' }, userFields: {} },
    provider: { trustEmail: false }
  })
  await app.restAuth.users.create({ email: alice.email, password, email_verified: true } as never)
  const [taken, free] = [await enter('alice'), await enter('bob')]
  t.equal(free.statusCode, 403)
  t.same(whole(taken), whole(free))
  t.equal((await mails()).length, 0)
})

story('the hooks run for a user created by a social login, and may reject', async (t, build) => {
  const heard: string[] = []
  let refusing = ''
  const hear = (name: string) => ({ email }: { email: string }) => {
    heard.push(`${name} ${email}`)
    if (name === refusing) throw new Rejection('No.')
  }
  const names = ['registering', 'registered', 'emailVerified', 'loggedIn']
  const { enter, app } = await withBadProvider(t, build, {
    options: { hooks: Object.fromEntries(names.map(name => [name, hear(name)])) }
  })
  for (refusing of names.slice(0, 3)) {
    t.match((await enter('alice')).json(), { code: 'rejected', detail: 'No.' })
    t.equal(await app.restAuth.users.find({ email: alice.email }), undefined, refusing)
  }
  refusing = ''
  heard.length = 0
  const pk = pkOf(await enter('alice'))
  t.same(heard, names.map(name => `${name} ${alice.email}`))
  refusing = 'loggedIn'
  t.match((await enter('alice')).json(), { code: 'rejected' })
  t.equal((await app.restAuth.sessions.list(pk)).length, 1, 'the rejected login leaves no session')
  refusing = ''
  heard.length = 0
  t.equal(pkOf(await enter('alice')), pk)
  t.same(heard, [`loggedIn ${alice.email}`], 'later logins run only loggedIn')
})

/** An app whose own provider suggests these fields. */
const suggesting = (fields: object, userFields: object): BadSetup => ({
  options: { userFields },
  social: bad => ({
    own: {
      clientId: 'app',
      clientSecret: 'any',
      trustEmail: false,
      provider: {
        label: 'Own',
        issuer: bad.issuer,
        endpoints: { ...bad.endpoints, jwks: undefined },
        scopes: [],
        profile: async ({ get }: { get: (url: string) => Promise<BadPerson & { sub: string }> }) => ({
          subject: (await get(bad.endpoints.userinfo)).sub,
          email: 'alice@example.com',
          emailVerified: true,
          fields
        })
      }
    }
  })
})

// Attack: mass assignment by a provider profile.
void t.test('a provider profile fills only the fields that the user may set', async t => {
  const optionalText = Type.Optional(Type.String())
  const userFields = {
    nickname: { schema: optionalText },
    given_once: { schema: Type.String(), userDetails: 'read-only' },
    is_admin: {
      schema: Type.Optional(Type.Boolean({ default: false })),
      registration: 'hidden',
      userDetails: 'read-only'
    },
    plan: { schema: optionalText, registration: 'hidden', userDetails: 'hidden' },
    motto: { schema: optionalText, registration: 'hidden' }
  }
  const evil = {
    pk: 'x',
    id: 'x',
    email: 'evil@example.com',
    email_verified: true,
    emailVerified: true,
    is_active: false,
    isActive: false,
    password_hash: 'x',
    passwordHash: 'x',
    username: 'root',
    created_at: new Date(0),
    last_login: null,
    is_superuser: true,
    __proto__x: 1,
    constructor: 'x'
  }
  const { post, app } = await withBadProvider(
    t,
    sqliteBuild,
    suggesting(
      { ...evil, is_admin: true, plan: 'gold', nickname: 'Al', given_once: 'yes', motto: 'Onwards' },
      userFields
    )
  )
  const answer = await post('/own', { code: 'code-alice' })
  t.equal(codeOf(answer), 'logged in')
  const { pk } = answer.json().user
  t.match(await app.restAuth.users.find({ pk }), {
    email: alice.email,
    email_verified: false,
    is_active: true,
    is_admin: false,
    plan: null,
    nickname: 'Al',
    given_once: 'yes',
    motto: 'Onwards'
  })
  t.equal(codeOf(await logIn({ post } as BuiltApp, 'x')), 'invalid_credentials')
})

void t.test('invalid or already used values of a profile are left out and reported in missing_fields', async t => {
  const userFields = {
    short: { schema: Type.String({ maxLength: 3 }) },
    count: { schema: Type.Integer() },
    gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) },
    badge: { schema: Type.String(), unique: true },
    address: { schema: Type.Object({ city: Type.String() }) },
    good: { schema: Type.String() },
    nul: { schema: Type.String() },
    half: { schema: Type.String() }
  }
  const fields = {
    short: 'long',
    count: '7',
    gender: 'X',
    badge: 'A1',
    address: { city: 7 },
    good: 'yes',
    nul: 'a\u0000b',
    half: '\ud800',
    unknown: 'x'
  }
  const { post, patch, app } = await withBadProvider(t, sqliteBuild, suggesting(fields, userFields))
  await app.restAuth.users.create({
    email: 'bob@example.com',
    short: 'b',
    count: 1,
    gender: 'M',
    badge: 'A1',
    address: { city: 'Bern' },
    good: 'g',
    nul: 'n',
    half: 'h'
  } as never)
  const { access: token, user } = (await post('/own', { code: 'code-alice' })).json()
  t.match(user, {
    short: null,
    count: null,
    gender: null,
    badge: null,
    address: null,
    good: 'yes',
    missing_fields: ['short', 'count', 'gender', 'badge', 'address', 'nul', 'half']
  })
  const answer = await patch(
    '/user',
    { short: 'abc', count: 7, gender: 'F', badge: 'A2', address: { city: 'Chur' }, nul: 'n', half: 'h' },
    { token }
  )
  t.equal(answer.statusCode, 200)
  t.notHas(answer.json(), 'missing_fields')
  t.notHas((await post('/own', { code: 'code-alice' })).json().user, 'missing_fields')
})

const named = {
  account: {
    username: 'required',
    loginMethods: ['email', 'username'],
    usernameBlocklist: ['admin', 'carol'],
    usernameMinLength: 5
  },
  userFields: {}
}

story('where a username is required, a new user gets one derived from the address', async (t, build) => {
  const addresses = [
    'carol@a.example',
    'alexander@a.example',
    'alexander@b.example',
    'ALEXANDER@c.example',
    'bo@a.example',
    'bo@b.example',
    'admin@a.example',
    "o'hara!@a.example",
    'ann+tag@a.example',
    `${'l'.repeat(64)}@a.example`
  ]
  const people = Object.fromEntries(addresses.map((email, index) => [`p${index}`, { email, email_verified: true }]))
  const { enter, patch, app } = await withBadProvider(t, build, { options: named, people })
  const names: string[] = []
  for (const person of Object.keys(people)) names.push((await enter(person)).json().user.username)
  const expected = [
    /^carol\d{4,9}$/, /^alexander$/, /^alexander\d{4,9}$/, /^alexander\d{4,9}$/, /^bo000$/, /^bo\d{4,9}$/,
    /^admin\d{4,9}$/, /^ohara$/, /^ann\+tag$/, /^l{64}$/
  ]
  for (const [index, pattern] of expected.entries()) t.match(names[index], pattern, String(addresses[index]))
  t.equal(new Set(names.map(name => name.toLowerCase())).size, names.length)
  const answer = await enter('p4')
  t.equal(
    (await patch('/user', { username: 'bobolink' }, { token: answer.json().access })).json().username,
    'bobolink',
    'the user may choose another'
  )
  t.equal((await app.restAuth.users.find({ username: 'bobolink' }))?.email, 'bo@a.example')
})

story('where a username is optional, a new user has none', async (t, build) => {
  const { enter } = await withBadProvider(t, build, { options: { account: { username: 'optional' }, userFields: {} } })
  t.equal((await enter('alice')).json().user.username, null)
})

story('where the address is optional, a provider without addresses creates users without one', async (t, build) => {
  const { bad, enter, app, get } = await withBadProvider(t, build, {
    options: { account: { ...named.account, email: 'optional' }, userFields: {} }
  })
  bad.lie = 'no address'
  const [first, second] = [await enter('alice'), await enter('bob')]
  t.match(first.json().user, { email: null, username: 'user0' })
  t.match(second.json().user, { email: null, username: /^user\d{4,9}$/ })
  t.not(pkOf(first), pkOf(second))
  t.equal(pkOf(await enter('alice')), pkOf(first))
  t.equal((await get('/user', { token: second.json().access })).json().email, null)
  bad.lie = undefined
  t.equal(pkOf(await enter('alice')), pkOf(first), 'an address that appears later changes nothing')
  t.equal((await app.restAuth.users.find({ pk: pkOf(first) }))?.email, null)
})

/** Alice has registered and verified her address; bob is an identity at the provider. */
async function withAlice (t: Test, build: Build, setup: BadSetup = {}) {
  const built = await withBadProvider(t, build, setup)
  const { access, refresh, user } = await built.register()
  await verify(built, user.pk)
  return { ...built, token: access, refresh, pk: user.pk }
}

// Attack: using tokens stolen before the connection.
story('connecting an account replaces all tokens of the user', async (t, build) => {
  const { connect, enter, get, post, token, refresh, pk, app, mails, bad } = await withAlice(t, build)
  t.equal((await post('/company/connect', { code: 'code-bob' })).statusCode, 401)
  t.equal(bad.calls('token').length, 0, 'the provider is not asked without a login')
  const answer = await connect('bob', token)
  t.equal(pkOf(answer), pk)
  t.equal((await get('/user', { token })).statusCode, 401, 'the old tokens are invalid')
  t.equal((await post('/token/refresh', { refresh })).statusCode, 401)
  t.equal((await get('/user', { token: answer.json().access })).json().email, alice.email, 'the address stays')
  t.equal((await app.restAuth.sessions.list(pk)).length, 1)
  t.match(await mails(), [{ to: alice.email, subject: '[localhost:3000] You can now log in with company' }])
  t.equal(pkOf(await enter('bob')), pk, 'the connected identity logs in to her account')

  const again = await connect('bob', answer.json().access)
  t.equal(pkOf(again), pk, 'an identity that is already connected')
  t.equal((await app.restAuth.socialAccounts.list(pk)).length, 1)
  t.equal((await mails()).length, 1)
  t.equal(
    codeOf(await post('/company/connect', { code: 'none' }, { token: again.json().access })),
    'code_exchange_failed'
  )
  t.equal(
    codeOf(await post('/company/connect', { code: '' }, { token: again.json().access })),
    'provider_credentials_required'
  )
  t.equal((await get('/user', { token: again.json().access })).statusCode, 200, 'a failed attempt ends no session')
})

void t.test('connecting requires a login or reauthentication within the last five minutes', async t => {
  const { connect, enter, post, token, clock, bad } = await withAlice(t, sqliteBuild, {
    options: { tokens: { access: 3600 } }
  })
  clock.advance(300)
  const { access } = (await connect('bob', token)).json()
  t.ok(access, 'at the last second')
  clock.advance(1)
  const late = await connect('bob', access)
  t.equal(late.statusCode, 401)
  t.equal(codeOf(late), 'reauthentication_required', 'new tokens do not count as a new login')
  t.match(late.headers['www-authenticate'], /max_age="300"/)
  t.equal(bad.calls('token').length, 1, 'the provider was not asked')
  t.equal((await post('/reauthenticate', { password }, { token: access })).statusCode, 200)
  t.equal(codeOf(await connect('bob', access)), 'logged in')
  clock.advance(301)
  t.equal(
    codeOf(await connect('alice', (await enter('bob')).json().access)),
    'logged in',
    'a social login counts'
  )
})

story('connecting an identity of another account fails and changes no session', async (t, build) => {
  const { connect, enter, get, token, pk, app } = await withAlice(t, build)
  const bob = (await enter('bob')).json()
  const answer = await connect('bob', token)
  t.equal(answer.statusCode, 400)
  t.match(answer.json(), {
    code: 'social_account_taken',
    detail: 'The social account is already connected to a different account.'
  })
  t.notHas(answer.json(), 'access')
  t.equal((await get('/user', { token })).json().pk, pk, 'she is still logged in')
  t.equal((await get('/user', { token: bob.access })).json().pk, bob.user.pk)
  t.equal((await app.restAuth.sessions.list(bob.user.pk)).length, 1)
  t.same((await app.restAuth.socialAccounts.list(pk)), [])
})

story('a user who is deactivated or deleted during a connect gets 401, and nothing is connected', async (t, build) => {
  let meanwhile: (() => Promise<unknown>) | undefined
  const profile = async ({ claims }: { claims: { sub: string } }) => {
    await meanwhile?.()
    return { subject: claims.sub }
  }
  const built = await withAlice(t, build, {
    social: bad => ({ slow: { ...likeGoogle(bad), provider: { ...likeGoogle(bad).provider, profile } } })
  })
  const { post, pk, app } = built
  for (const [end, code] of [['deactivate', 'user_inactive'], ['delete', 'user_not_found']] as const) {
    const { access } = (await logIn(built)).json()
    meanwhile = async () => await app.restAuth.users[end](pk)
    const answer = await post('/slow/connect', { code: 'code-bob' }, { token: access })
    t.equal(answer.statusCode, 401)
    t.equal(codeOf(answer), code)
    t.same(await app.restAuth.socialAccounts.list(pk), [])
    await app.restAuth.users.activate(pk)
  }
})

story('connecting an account does not verify the address', async (t, build) => {
  const built = await withBadProvider(t, build, { options: optional })
  const { register, connect, app, mails } = built
  const { access, user } = await register()
  t.equal((await connect('alice', access)).statusCode, 200)
  t.equal(await verified(built), false)
  t.equal((await app.restAuth.socialAccounts.list(user.pk)).length, 1)
  t.equal((await mails()).length, 1, 'no notification to an unverified address')
})

void t.test('with cookies, connecting requires JSON, which a cross-site form cannot send', async t => {
  const { enter, post, get } = await withBadProvider(t, sqliteBuild, { options: { tokens: { cookies: {} } } })
  await post('/registration', alice)
  const login = await post('/login', { email: alice.email, password })
  const cookie = cookiesOf(login)
  const form = { form: { code: 'code-bob' }, headers: { cookie } }
  t.equal((await post('/company/connect', undefined, form)).statusCode, 403)
  const answer = await post('/company/connect', { code: 'code-bob' }, { headers: { cookie } })
  t.equal(answer.statusCode, 200)
  t.notHas(answer.json(), 'access')
  t.equal((await get('/user', { headers: { cookie } })).statusCode, 401, 'the old tokens are invalid')
  t.equal((await get('/user', { headers: { cookie: cookiesOf(answer) } })).json().email, alice.email)
  t.equal((await enter('bob')).json().user.email, alice.email)
})

story('users see only their own connections', async (t, build) => {
  const { connect, enter, get, token, clock, bad } = await withAlice(t, build)
  const { access } = (await connect('bob', token)).json()
  bad.people.carol = { email: 'carol@example.com', email_verified: true }
  const carol = (await enter('carol')).json()
  clock.advance(60)
  await enter('alice')
  clock.advance(60)
  await enter('bob')
  t.equal((await get('/socialaccounts')).statusCode, 401)
  const list = (await get('/socialaccounts', { token: access })).json()
  t.match(list, [
    {
      id: /^[\w-]{36}$/,
      provider: 'company',
      uid: 'bob',
      last_login: '2026-11-23T12:02:00.000Z',
      date_joined: '2026-11-23T12:00:00.000Z'
    },
    {
      id: /^[\w-]{36}$/,
      provider: 'company',
      uid: 'alice',
      last_login: '2026-11-23T12:01:00.000Z',
      date_joined: '2026-11-23T12:01:00.000Z'
    }
  ])
  for (const account of list) t.same(Object.keys(account), ['id', 'provider', 'uid', 'last_login', 'date_joined'])
  t.same(
    (await get('/socialaccounts', { token: carol.access })).json().map(({ uid }: { uid: string }) => uid),
    ['carol']
  )
})

story('users can disconnect an account', async (t, build) => {
  const { connect, enter, post, get, token, pk } = await withAlice(t, build)
  const { access } = (await connect('bob', token)).json()
  const [{ id }] = (await get('/socialaccounts', { token: access })).json()
  t.equal((await post(`/socialaccounts/${id}/disconnect`)).statusCode, 401)
  const answer = await post(`/socialaccounts/${id}/disconnect`, {}, { token: access })
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), {})
  t.same((await get('/socialaccounts', { token: access })).json(), [])
  t.not(pkOf(await enter('bob')), pk, 'the identity then gets a new account')
  t.equal((await post(`/socialaccounts/${id}/disconnect`, {}, { token: access })).statusCode, 404)
  t.equal(pkOf(await enter('alice')), pk, 'an identity that proves the address still logs in')
})

story('disconnecting requires a login or reauthentication within the last five minutes', async (t, build) => {
  const { connect, post, get, token, clock } = await withAlice(t, build, { options: { tokens: { access: 3600 } } })
  const { access } = (await connect('bob', token)).json()
  const connected = async () => (await get('/socialaccounts', { token: access })).json()
  const [{ id }] = await connected()
  clock.advance(301)
  for (const path of [`/socialaccounts/${id}/disconnect`, '/socialaccounts/unknown/disconnect']) {
    const late = await post(path, {}, { token: access })
    t.equal(late.statusCode, 401)
    t.equal(codeOf(late), 'reauthentication_required')
    t.match(late.headers['www-authenticate'], /max_age="300"/)
  }
  t.equal((await connected()).length, 1, 'reading the list needs no more than a token')
  t.equal((await post('/reauthenticate', { password }, { token: access })).statusCode, 200)
  t.equal((await post(`/socialaccounts/${id}/disconnect`, {}, { token: access })).statusCode, 200)
  t.equal((await connected()).length, 0)
})

story('a user without a password logs in with the provider again before disconnecting', async (t, build) => {
  const options = { tokens: { access: 3600 } }
  const { connect, enter, post, get, clock } = await withBadProvider(t, build, { options })
  const { access } = (await connect('bob', (await enter('alice')).json().access)).json()
  const [, { id }] = (await get('/socialaccounts', { token: access })).json()
  clock.advance(301)
  const disconnect = async (token: string) => (await post(`/socialaccounts/${id}/disconnect`, {}, { token })).statusCode
  t.equal(await disconnect(access), 401)
  t.equal(await disconnect((await enter('alice')).json().access), 200)
})

story('disconnecting an unknown connection or one of another user returns 404', async (t, build) => {
  const { connect, enter, post, get, token } = await withAlice(t, build)
  const { access } = (await connect('alice', token)).json()
  const bob = (await enter('bob')).json().access
  const [{ id }] = (await get('/socialaccounts', { token: access })).json()
  for (const unknown of [
    id,
    '019391f2-9f0a-7c33-8d1e-6a2b9c4d5e6f',
    'none',
    '1',
    '%00',
    '%E2%80%A6',
    "'%20OR%201=1",
    'x'.repeat(100)
  ]) {
    const answer = await post(`/socialaccounts/${unknown}/disconnect`, {}, { token: bob })
    t.equal(answer.statusCode, 404, unknown)
    t.equal(codeOf(answer), 'not_found')
  }
  t.equal((await get('/socialaccounts', { token: access })).json().length, 1)
})

story('the last login method cannot be disconnected', async (t, build) => {
  const { enter, connect, post, get } = await withBadProvider(t, build)
  const { access } = (await enter('alice')).json()
  const [{ id }] = (await get('/socialaccounts', { token: access })).json()
  const refused = await post(`/socialaccounts/${id}/disconnect`, {}, { token: access })
  t.equal(refused.statusCode, 400)
  t.equal(codeOf(refused), 'last_login_method')
  const token = (await connect('bob', access)).json().access
  t.equal(
    (await post(`/socialaccounts/${id}/disconnect`, {}, { token })).statusCode,
    200,
    'allowed once another is connected'
  )
  const [{ id: left }] = (await get('/socialaccounts', { token })).json()
  t.equal(codeOf(await post(`/socialaccounts/${left}/disconnect`, {}, { token })), 'last_login_method')
  t.equal((await get('/socialaccounts', { token })).json().length, 1)
})

void t.test('an identity of a provider that is no longer configured is not a login method', async t => {
  const database = temporaryFile(t)
  const first = await withBadProvider(t, sqliteBuild, {
    options: { database },
    social: bad => ({ gone: { issuer: bad.issuer, clientId: bad.clientId, clientSecret: 'any' } })
  })
  const { access } = (await first.enter('alice')).json()
  t.equal((await first.post('/gone/connect', { code: 'code-bob' }, { token: access })).statusCode, 200)
  const { issuer, clientId } = first.bad
  const { post, get } = await sqliteBuild(t, {
    options: {
      ...articleOptions,
      database,
      social: { company: { issuer, clientId, clientSecret: 'any', trustEmail: true } }
    }
  })
  const { access: token } = (await post('/company', { code: 'code-alice' })).json()
  const list = (await get('/socialaccounts', { token })).json()
  t.same(list.map(({ provider }: { provider: string }) => provider), ['company', 'gone'])
  t.equal(codeOf(await post(`/socialaccounts/${list[0].id}/disconnect`, {}, { token })), 'last_login_method')
  t.equal((await post(`/socialaccounts/${list[1].id}/disconnect`, {}, { token })).statusCode, 200)
})

story('server code lists and disconnects accounts; deleting a user deletes them', async (t, build) => {
  const { enter, app: { restAuth } } = await withBadProvider(t, build)
  const pk = pkOf(await enter('alice'))
  const [account] = await restAuth.socialAccounts.list(pk)
  t.match(account, { id: /^[\w-]{36}$/, provider: 'company', subject: 'alice', createdAt: Date, lastLogin: Date })
  t.notHas(account, 'tokens')
  t.equal(await restAuth.socialAccounts.disconnect('none'), false)
  t.equal(await restAuth.socialAccounts.disconnect(account?.id ?? ''), true, 'server code may remove the last one')
  t.same(await restAuth.socialAccounts.list(pk), [])
  t.equal(pkOf(await enter('alice')), pk)
  await restAuth.users.delete(pk)
  t.same(await restAuth.socialAccounts.list(pk), [])
  t.not(pkOf(await enter('alice')), pk, 'the next login creates a new user')
})
