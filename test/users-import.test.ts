/** `users.import`, `users.list`, and what `users.create` takes of a user's past. */
import { hash as bcrypt } from '@node-rs/bcrypt'
import { Failure } from '../src/index.js'
import { password, sqliteBuild, story, t, type BuiltApp } from './support/build.js'

const createdAt = new Date('2019-05-01T10:00:00.000Z')
const lastLogin = new Date('2020-05-01T10:00:00.000Z')
const past = async () => ({
  pk: '42',
  password_hash: await bcrypt(password, 4),
  email_verified: true,
  created_at: createdAt,
  last_login: lastLogin.toISOString()
})
const fieldsOf = (error: unknown) =>
  error instanceof Failure ? error.fields.map(({ field, code }) => `${field} ${code}`) : error
const fields = { gender: 'F', phone_number: '1' }

/** `users` without its types, which depend on the options of the app. */
const usersOf = ({ app }: BuiltApp) => app.restAuth.users as unknown as {
  create: (input: object) => Promise<Record<string, unknown> & { pk: string }>
  import: (input: Iterable<object> | AsyncIterable<object>) => ReturnType<typeof app.restAuth.users.import>
  list: (options?: object) => Promise<Array<Record<string, unknown> & { pk: string, email: string }>>
  find: (by: object) => Promise<Record<string, unknown> | undefined>
}

story('a user keeps the key, the dates and the password that they had elsewhere', async (t, build) => {
  const built = await build(t)
  const users = usersOf(built)
  const user = await users.create({ email: 'a@example.com', ...fields, ...await past() })
  t.match(user, { pk: '42', email_verified: true, is_active: true, created_at: createdAt, last_login: lastLogin })
  t.same(await users.find({ pk: '42' }), user)
  t.equal((await built.post('/login', { email: 'a@example.com', password })).json().user.pk, '42')
  await users.create({ email: 'b@example.com', ...fields, ...await past(), pk: undefined, is_active: false })
  t.equal((await built.post('/login', { email: 'b@example.com', password })).statusCode, 400)
})

story('an invalid or taken part of a user\'s past is named', async (t, build) => {
  const users = usersOf(await build(t))
  await users.create({ email: 'a@example.com', ...fields, pk: 'x' })
  const wrong: Array<[object, string[]]> = [
    [{ pk: 'x' }, ['pk value_taken']],
    [{ pk: '' }, ['pk blank']],
    [{ pk: 'x'.repeat(201) }, ['pk max_length']],
    [{ pk: 5 }, ['pk invalid_type']],
    [{ pk: 'a\0b' }, ['pk null_characters_not_allowed']],
    [{ password_hash: 'md5$salt$x' }, ['password_hash invalid']],
    [{ password_hash: 'plain text' }, ['password_hash invalid']],
    [{ password_hash: 'pbkdf2_sha256$1000$salt$' }, ['password_hash invalid']],
    [{ created_at: 'yesterday' }, ['created_at invalid']],
    [{ created_at: new Date(NaN) }, ['created_at invalid_type']],
    [{ last_login: 5 }, ['last_login invalid_type']],
    [{ is_active: 'yes' }, ['is_active invalid_type']],
    [{ email: 'A@example.com', pk: 'x' }, ['email email_taken']]
  ]
  for (const [changes, expected] of wrong) {
    t.same(await users.create({ email: 'b@example.com', ...fields, ...changes }).catch(fieldsOf), expected)
  }
  await t.rejects(users.create({ email: 'b@example.com', ...fields, password, password_hash: '!' }), TypeError)
  t.equal((await users.list()).length, 1)
})

story('an import stores who it can, says who was skipped and why, and can be repeated', async (t, build) => {
  const built = await build(t)
  const users = usersOf(built)
  const { pk: _pk, ...rest } = await past()
  async function * source () {
    yield { email: 'a@example.com', ...rest, pk: '1' }
    yield { email: 'A@Example.com', pk: '2' }
    yield { email: 'no address', pk: '3', gender: 'X' }
    yield { email: 'd@example.com', ...fields, pk: '4', password_hash: '!unusable', last_login: null }
    yield { email: 'e@example.com', pk: '1' }
  }
  const { stored, skipped } = await users.import(source())
  t.equal(stored, 2)
  t.same(skipped.map(({ index, reason }) => [index, fieldsOf(reason)]), [
    [1, ['email email_taken']],
    [2, ['email invalid_email', 'gender invalid_choice']],
    [4, ['pk value_taken']]
  ])
  t.match(await users.find({ pk: '1' }), { gender: null, missing_fields: ['gender'] })
  t.equal((await built.post('/login', { email: 'a@example.com', password })).statusCode, 200)
  t.same((await users.import(source())).skipped.map(({ index }) => index), [0, 1, 2, 3, 4])
  await t.rejects(users.import([{ email: 'f@example.com', nickname: 'f' }]), /there is no field nickname/)
})

story('a failing source or database ends an import', async (t, build) => {
  const users = usersOf(await build(t))
  async function * source () {
    yield { email: 'a@example.com' }
    throw new Error('the file ends here')
  }
  await t.rejects(users.import(source()), /the file ends here/)
  t.equal((await users.list()).length, 1)
})

story('`users.list` returns pages, in the order of the keys', async (t, build) => {
  const users = usersOf(await build(t))
  t.same(await users.list(), [])
  const people = Array.from({ length: 7 }, (_, index) => ({ email: `u${index}@example.com`, pk: `k${6 - index}` }))
  await users.import(people)
  const read: string[] = []
  let after: string | undefined
  for (;;) {
    const page = await users.list({ after, limit: 3 })
    read.push(...page.map(({ pk }) => pk))
    if (page.length < 3) break
    after = page.at(-1)?.pk
  }
  t.same(read, ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'])
  t.same(await users.list({ after: 'k6' }), [])
  t.equal((await users.list({ after: 'k3x' })).length, 3, 'the user of the last key may be gone')
})

story('with integer keys, `users.list` counts as numbers do', async (t, build) => {
  const users = usersOf(await build(t, { options: { account: { pk: 'integer' } } }))
  await users.import([9, 10, 100, 2].map(pk => ({ email: `u${pk}@example.com`, pk })))
  t.same((await users.list()).map(({ pk }) => pk), [2, 9, 10, 100])
  t.same((await users.list({ after: 9, limit: 1 })).map(({ pk }) => pk), [10])
  t.equal((await users.create({ email: 'next@example.com', ...fields })).pk as unknown, 101)
  await t.rejects(users.list({ after: '9' }), TypeError)
})

story('`search` finds a part of the address or the username, in any case and as it stands', async (t, build) => {
  const users = usersOf(await build(t, { options: { userFields: {}, account: { username: 'optional' } } }))
  await users.import([
    { email: 'alice@example.com', username: 'Wonder_Land' }, { email: 'bob@b.example', username: 'hatter' },
    { email: 'c%d@example.com' }, { email: 'sharp@example.com', username: 'STRASSE' }
  ])
  const found = async (search: string) => (await users.list({ search })).map(({ email }) => email)
  t.same(await found('ALICE'), ['alice@example.com'])
  t.same(await found(' hat '), ['bob@b.example'])
  t.same(await found('r_l'), ['alice@example.com'])
  t.same(await found('c%d'), ['c%d@example.com'])
  t.same(await found('b_b'), [])
  t.same(await found('straße'), ['sharp@example.com'])
  t.same(await found("'; drop table users; --"), [])
  t.same(await found('\u200d'), [], 'usernames are compared without this character')
  t.same(await found('a\0'), [])
  t.same(await found('a'.repeat(60_000)), [])
  t.equal((await found('')).length, 4)
})

t.test('wrong options of `users.list` throw', async t => {
  const users = usersOf(await sqliteBuild(t))
  for (const options of [{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { limit: '3' }, { search: 5 }]) {
    await t.rejects(users.list(options), TypeError)
  }
})
