/**
 * Whole clients of dj-rest-auth, each written as its code is: they register, log in, stay logged in, edit the user,
 * change the password and log out, with nothing but HTTP. The table of docs/from-django.md lists these kinds.
 */
import { alice, articleOptions, password, story } from './support/build.js'

const newPassword = 'Brand-new-pw-1'
type Json = Record<string, any>
type Headers = Record<string, string>

/** What all kinds have in common. How a client stores its tokens, and sends them, is its own. */
abstract class Client {
  readonly url: string
  tokens: Headers = {}
  /** The cookies of a browser. */
  cookies: Headers = {}

  constructor (url: string) { this.url = url }

  /** The headers that show who sends a request. */
  abstract credentials (): Headers
  abstract keep (body: Json, answer: Response): void
  /** Clients whose token lives as long as the session have none. */
  refresh? (): Promise<Json>

  /** Throws an Error that begins with the status. */
  async send (method: string, path: string, sent?: Json): Promise<Json> {
    const { body = null, headers = {} } = sent ? this.encode(sent) : {}
    const answer = await fetch(`${this.url}/auth${path}/`, {
      method, body, headers: { ...headers, ...this.credentials() }
    })
    const json = await answer.json() as Json
    if (!answer.ok) throw new Error(`${answer.status} ${JSON.stringify(json)}`)
    this.keep(json, answer)
    return json
  }

  encode (sent: Json): { body: FormData | string, headers: Headers } {
    return { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }
  }

  async register (user: Json): Promise<Json> { return await this.send('POST', '/registration', user) }
  async login (email: string, password: string): Promise<Json> {
    return await this.send('POST', '/login', { email, password })
  }

  async user (): Promise<Json> { return await this.send('GET', '/user') }
  async edit (changes: Json): Promise<Json> { return await this.send('PATCH', '/user', changes) }
  async changePassword (old: string, fresh: string): Promise<Json> {
    const body = { old_password: old, new_password1: fresh, new_password2: fresh }
    return await this.send('POST', '/password/change', body)
  }

  async logout (): Promise<Json> { return await this.send('POST', '/logout') }
}

/** Stores both tokens, also the new refresh token of each refresh. */
class HeaderClient extends Client {
  credentials (): Headers {
    return this.tokens.access === undefined ? {} : { authorization: `Bearer ${this.tokens.access}` }
  }

  keep ({ access, refresh }: Json): void {
    if (access) Object.assign(this.tokens, { access, refresh })
  }

  override async refresh () { return await this.send('POST', '/token/refresh', { refresh: this.tokens.refresh }) }
  override async logout () { return await this.send('POST', '/logout', { refresh: this.tokens.refresh }) }
}

/** Stores the refresh token at login only, as most clients of simplejwt do. */
class KeepingClient extends HeaderClient {
  override keep ({ access, refresh, user }: Json): void {
    if (access) Object.assign(this.tokens, { access }, user && { refresh })
  }
}

/** Sends FormData and leaves the content type to `fetch`. */
class FormDataClient extends HeaderClient {
  override encode (sent: Json) {
    const body = new FormData()
    for (const [name, value] of Object.entries(sent)) body.append(name, value)
    return { body, headers: {} }
  }
}

/** Has one box for username and address, and sends it as the username. */
class OneBoxClient extends HeaderClient {
  override async register (user: Json) { return await super.register({ ...user, username: 'alice' }) }
  override async login (username: string, password: string) {
    return await this.send('POST', '/login', { username, password })
  }
}

/** Counts on keys that are numbers, as Django's are. */
class IntegerKeyClient extends HeaderClient {
  override async user () {
    const user = await super.user()
    if (!Number.isSafeInteger(user.pk)) throw new Error(`${user.pk} is no integer`)
    return user
  }
}

/** Has a key of TokenAuthentication. */
class KeyClient extends Client {
  credentials (): Headers {
    return this.tokens.key === undefined ? {} : { authorization: `Token ${this.tokens.key}` }
  }

  keep ({ key }: Json): void {
    if (key) this.tokens = { key }
  }
}

/** A page in a browser that relies on a session cookie, and still sends the CSRF token that Django wanted. */
class SessionClient extends Client {
  credentials (): Headers {
    const cookie = Object.entries(this.cookies).map(pair => pair.join('=')).join('; ')
    return {
      origin: articleOptions.publicUrl,
      'sec-fetch-site': 'same-origin',
      'x-csrftoken': 'ZXliX9RUSubfOhI7',
      ...(cookie && { cookie })
    }
  }

  keep (_body: Json, { headers }: Response): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split('=')
      if (attributes.includes('Max-Age=0')) delete this.cookies[name]
      else this.cookies[name] = value
    }
  }
}

/** A page in a browser that leaves both tokens to cookies, and posts nothing at refresh and logout. */
class PageClient extends SessionClient {
  override async refresh () { return await this.send('POST', '/token/refresh') }
}

/** A single-page app that keeps the access token in memory and leaves the refresh token to a cookie. */
class HybridClient extends PageClient {
  override credentials (): Headers {
    const { access } = this.tokens
    return { ...super.credentials(), ...(access !== undefined && { authorization: `Bearer ${access}` }) }
  }

  override keep (body: Json, answer: Response): void {
    super.keep(body, answer)
    if (body.access) this.tokens = { access: body.access }
  }
}

interface Kind {
  create: new (url: string) => Client
  tokens?: object
  account?: object
}

const kinds: Record<string, Kind> = {
  'a client that stores each new refresh token': { create: HeaderClient },
  'a client that keeps its first refresh token': { create: KeepingClient, tokens: { refresh: { rotate: false } } },
  'a client with a key': { create: KeyClient, tokens: { format: 'opaque' } },
  'a page that keeps the access token in memory': { create: HybridClient, tokens: { cookies: { access: false } } },
  'a page with cookies': { create: PageClient, tokens: { cookies: {} } },
  'a page beside apps': { create: PageClient, tokens: { cookies: { apps: 'body' } } },
  'an app beside pages': { create: HeaderClient, tokens: { cookies: { apps: 'body' } } },
  'a page with a session': { create: SessionClient, tokens: { format: 'opaque', cookies: {} } },
  'a client that posts FormData': { create: FormDataClient },
  'a client that expects integer keys': { create: IntegerKeyClient, account: { pk: 'integer' } },
  'a client with one box for username and address': {
    create: OneBoxClient,
    account: { username: 'required', loginMethods: ['email', 'username'] }
  }
}

const refused = (status: number) => ({ message: new RegExp(`^${status} `) })

for (const [title, { create: Kind, tokens = {}, account = {} }] of Object.entries(kinds)) {
  story(`${title} works from registration to logout`, async (t, build) => {
    const options = { errors: 'drf', tokens, account: { ...articleOptions.account, ...account } }
    const { app, clock } = await build(t, { options })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const newcomer = new Kind(url)
    await newcomer.register(alice)
    t.match(await newcomer.user(), { email: alice.email })

    const client = new Kind(url)
    await t.rejects(client.user(), refused(401))
    await t.rejects(client.login(alice.email, 'wrong'), refused(400))
    await client.login(alice.email, password)
    t.match(await client.user(), { email: alice.email, gender: 'F' })
    for (const day of ['first', 'second']) {
      clock.advance(86400)
      if (client.refresh) {
        await t.rejects(client.user(), refused(401), `the access token has expired on the ${day} day`)
        await client.refresh()
      }
      t.match(await client.user(), { email: alice.email }, `logged in on the ${day} day`)
    }
    t.match(await client.edit({ gender: 'NS' }), { gender: 'NS', phone_number: alice.phone_number })
    await t.rejects(client.edit({ gender: 'X' }), { message: /^400 \{"gender":\[/ })
    await client.changePassword(password, newPassword)
    t.match(await client.user(), { gender: 'NS' }, 'the session continues')

    const copy = Object.assign(new Kind(url), { tokens: { ...client.tokens }, cookies: { ...client.cookies } })
    t.match(await copy.user(), { email: alice.email }, 'a copy of the tokens works')
    await client.logout()
    await t.rejects(copy.user(), refused(401), 'but not after logout')
    if (copy.refresh) await t.rejects(copy.refresh(), refused(401))
    await t.rejects(client.login(alice.email, password), refused(400), 'the old password')
    await client.login(alice.email, newPassword)
    t.match(await client.user(), { email: alice.email })
  })
}
