/** The tokens of a provider: stored only if the app asks for it, encrypted, and readable only by the app's own code. */
import { eq } from 'drizzle-orm'
import { sharedDatabase, withBadProvider } from './support/hostile-provider-app.js'
import { alice, articleOptions, secret, story, type Build, type BuiltApp, type Test } from './support/build.js'

const newSecret = 'Zx9Qw3Er7Ty1Ui5Op2As8Df4Gh6Jk0Lm'
const handedOut = /at-alice|at-bob|rt-of-alice|code-alice|eyJhbGciOiJSUzI1NiJ9/

/** An app, and all that its database contains. */
async function withRows (t: Test, build: Build, dialect: 'sqlite' | 'postgres', storeTokens?: boolean) {
  const { given, open } = sharedDatabase(t, dialect)
  const built = await withBadProvider(t, build, {
    options: given,
    provider: storeTokens === undefined ? {} : { storeTokens }
  })
  built.bad.answer = { refresh_token: 'rt-of-alice' }
  const db = await open(built)
  const tables = [
    db.users, db.sessions, db.refreshTokens, db.outbox, db.oneTimeTokens, db.socialAccounts, db.socialTransactions
  ]
  const stored = async () => JSON.stringify(
    await Promise.all(tables.map(async table => await db.orm.select().from(table as typeof db.users)))
  )
  const { app } = built
  const rowOf = async (email: string) => {
    const { pk = '' } = await app.restAuth.users.find({ email }) ?? {}
    const [row] = await db.orm.select().from(db.socialAccounts).where(eq(db.socialAccounts.userPk, pk))
    return row ?? { id: '', tokens: null }
  }
  /** The app after a restart with this secret. */
  const company = {
    issuer: built.bad.issuer, clientId: 'the-app', clientSecret: 'any', trustEmail: true, storeTokens: true
  }
  const restart = async (secret: string | string[]): Promise<BuiltApp> => await build(t, {
    database: built.database,
    options: { ...articleOptions, ...given, secret, social: { company } }
  })
  return { ...built, db, stored, rowOf, restart }
}

story('unless the app asks for it, no token of a provider is stored', async (t, build, { dialect }) => {
  for (const storeTokens of [undefined, false]) {
    const { enter, post, connect, bad, stored, rowOf, app, logs } = await withRows(t, build, dialect, storeTokens)
    const answers = [await enter('alice'), await enter('alice')]
    const idToken = await bad.issueIdToken({ person: 'alice' })
    answers.push(await post('/company', { id_token: idToken }))
    answers.push(await connect('bob', answers[0]?.json().access))
    for (const { statusCode, body, headers } of answers) {
      t.equal(statusCode, 200)
      t.notMatch(`${body}${JSON.stringify(headers)}`, handedOut)
    }
    const text = await stored()
    t.match(text, 'alice@example.com', 'stored values would be found')
    t.notMatch(text, handedOut)
    t.notMatch(text, idToken.split('.')[2] ?? '')
    t.equal((await rowOf(alice.email)).tokens, null)
    t.equal(await app.restAuth.socialAccounts.tokens((await rowOf(alice.email)).id), undefined)
    t.notMatch(logs.join(''), handedOut, 'tokens are not logged either')
  }
})

story("stored tokens are encrypted, and only the app's own code can read them", async (t, build, { dialect }) => {
  const { enter, post, get, bad, stored, rowOf, app, logs, clock } = await withRows(t, build, dialect, true)
  const tokensOf = async (email: string) => await app.restAuth.socialAccounts.tokens((await rowOf(email)).id)
  const answer = await enter('alice')
  t.same(await tokensOf(alice.email), {
    access_token: 'at-alice',
    refresh_token: 'rt-of-alice',
    expires_at: clock.now.getTime() + 3_600_000,
    scope: 'openid email profile'
  })
  const text = await stored()
  t.notMatch(text, handedOut)
  for (const token of ['at-alice', 'rt-of-alice']) {
    t.notMatch(text, Buffer.from(token).toString('base64url').slice(0, 8))
  }
  const list = await get('/socialaccounts', { token: answer.json().access })
  t.notMatch(`${answer.body}${list.body}${logs.join('')}`, handedOut)
  t.notMatch(JSON.stringify(await app.restAuth.socialAccounts.list(answer.json().user.pk)), /tokens|at-alice/)

  const before = (await rowOf(alice.email)).tokens
  t.equal((await post('/company', { id_token: await bad.issueIdToken({ person: 'alice' }) })).statusCode, 200)
  t.equal((await rowOf(alice.email)).tokens, before, 'a login without tokens keeps the stored ones')
  bad.lie = 'userinfo of another'
  t.equal((await enter('alice', { fault: true })).statusCode, 502, 'so does a login that fails')
  t.equal((await rowOf(alice.email)).tokens, before)
  bad.answer = { refresh_token: undefined, expires_in: undefined, scope: undefined }
  bad.lie = undefined
  t.equal((await enter('alice')).statusCode, 200)
  t.same(await tokensOf(alice.email), { access_token: 'at-alice' }, 'new tokens replace the stored ones')
  t.equal(await app.restAuth.socialAccounts.tokens('none'), undefined)
})

story('stored tokens are readable while the secret that encrypted them is listed', async (t, build, { dialect }) => {
  const { enter, rowOf, restart } = await withRows(t, build, dialect, true)
  await enter('alice')
  const { id } = await rowOf(alice.email)
  const rotated = await restart([newSecret, secret])
  t.match(await rotated.app.restAuth.socialAccounts.tokens(id), {
    access_token: 'at-alice',
    refresh_token: 'rt-of-alice'
  })
  const late = await restart(newSecret)
  t.equal(await late.app.restAuth.socialAccounts.tokens(id), undefined)
  t.equal((await rotated.post('/company', { code: 'code-alice' })).statusCode, 200)
  t.match(
    await late.app.restAuth.socialAccounts.tokens(id), { access_token: 'at-alice' },
    'the next login encrypts with the first secret'
  )
})

story('stored tokens are bound to their account, and deleted with it', async (t, build, { dialect }) => {
  const { enter, connect, rowOf, app, db } = await withRows(t, build, dialect, true)
  await enter('alice')
  const { access, user } = (await enter('bob')).json()
  const [hers, his] = [await rowOf(alice.email), await rowOf('bob@example.com')]
  await db.orm.update(db.socialAccounts).set({ tokens: hers.tokens }).where(eq(db.socialAccounts.id, his.id))
  t.equal(await app.restAuth.socialAccounts.tokens(his.id), undefined)
  t.equal((await connect('bob', access)).statusCode, 200)
  t.match(
    await app.restAuth.socialAccounts.tokens(his.id), { access_token: 'at-bob' }, 'linking again stores the tokens too'
  )
  await app.restAuth.users.delete(user.pk)
  t.same((await db.orm.select().from(db.socialAccounts)).map(({ id }) => id), [hers.id])
})
