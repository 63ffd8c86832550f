/**
 * Compares our answers with those recorded from dj-rest-auth 7: every request of fixtures/dj-rest-auth-wire.jsonl is
 * sent with `errors: 'drf'`, and must get the recorded answer, except for a table of differences.
 *
 * Tokens and `pk` are compared by shape (a number there, a string here), and so is `missing_fields`, which dj-rest-auth
 * lacks; everything else is compared by content, errors also by order. `<access>`, `<expired>`… in a recording stand
 * for tokens made here; `<key>`, `<uid>` and `<token>` for those of the last mails.
 */
import { readFileSync } from 'node:fs'
import { keyIn, uidAndTokenIn } from './answers.js'
import { story, t, type BuiltApp, type Test } from './build.js'

export interface Recording {
  name: string
  profile:
    'article' | 'default' | 'full' | 'throttle' | 'bodyrefresh' | 'token' | 'tokennosession' | 'session' | 'logoutget'
  /** `payload` is a body sent unchanged. */
  request: {
    method: 'GET' | 'OPTIONS'
    path: string
    headers?: Record<string, string>
    body?: unknown
    payload?: string
  }
  /** `mails`: how many were sent for it, if they were counted. */
  response: { status: number, headers?: { location: string }, body: unknown, mails?: number }
}

/** A request of dj-rest-auth to a provider. */
export interface SentRecording {
  name: string
  sent: { path: string, form: Record<string, string> }
}

const file = new URL('../fixtures/dj-rest-auth-wire.jsonl', import.meta.url)
const lines: Array<Recording | SentRecording> = readFileSync(file, 'utf8').trim().split('\n')
  .map(line => JSON.parse(line))
export const recordings = lines.filter(line => 'request' in line)
export const sentRecordings = lines.filter(line => 'sent' in line)

/** Our different answer, and why; a RegExp is compared with the text of the body. */
export interface Difference {
  why: string
  status: number
  body: unknown
  mails?: number
}

export interface Scene {
  /** The prefixes of the names of its recordings. */
  of: string[]
  options: object | ((t: Test, tokens: Tokens) => Promise<object>)
  /** Steps that the recordings leave out, before the one of that name (`start`: before all). */
  before?: Record<string, (app: BuiltApp, tokens: Tokens) => Promise<void>>
}
/** `latest` is the access token of the last answer that had one, and `session-key` the key. */
export type Tokens = Record<string, string>

const isOf = ({ of }: Scene) => ({ name }: Recording) => of.some(start => name.startsWith(start))

/** Declares a story for each scene, and a test that the tables fit the recordings. */
export function replayScenes (
  recordings: Recording[], scenes: Record<string, Scene>, differences: Record<string, Difference>
): void {
  for (const [title, scene] of Object.entries(scenes)) {
    story(`${title}: answers equal dj-rest-auth's, except for the table of differences`, async (t, build) => {
      const tokens: Tokens = { garbage: 'garbage' }
      const app = await build(t, {
        options: typeof scene.options === 'function' ? await scene.options(t, tokens) : scene.options
      })
      await scene.before?.start?.(app, tokens)
      for (const recording of recordings.filter(isOf(scene))) {
        await scene.before?.[recording.name]?.(app, tokens)
        await replay(t, app, recording, tokens, differences[recording.name])
      }
    })
  }

  t.test('every recording is replayed once, and every entry of the table differs from its recording', async t => {
    for (const recording of recordings) {
      t.equal(Object.values(scenes).filter(scene => isOf(scene)(recording)).length, 1, recording.name)
    }
    for (const [name, { status, body, mails }] of Object.entries(differences)) {
      const { response } = recordings.find(recording => recording.name === name) ?? {}
      if (!response) {
        t.fail(`${name} was never recorded`)
        continue
      }
      const recorded = [response.status, comparable(response.body), response.mails]
      t.strictNotSame([status, body, mails ?? response.mails], recorded, name)
    }
  })
}

async function replay (
  t: Test, app: BuiltApp, { name, request, response }: Recording, tokens: Tokens, difference?: Difference
): Promise<void> {
  const { status, body: expected, why, mails = response.mails }: Difference =
    difference ?? { why: 'as dj-rest-auth', status: response.status, body: comparable(response.body) }
  const mailsBefore = await readMails(app, tokens)
  const answer = await send(app, fill(request, tokens), status >= 500)
  const mailed = await readMails(app, tokens) - mailsBefore
  const isPage = String(answer.headers['content-type']).startsWith('text/html')
  const ours = answer.body === '' ? null : isPage ? answer.body : answer.json()
  shapesAreRight(t, name, ours)
  if (request.path.startsWith('/login') && ours.access) {
    Object.assign(tokens, { access: ours.access, refresh: ours.refresh })
  }
  if (ours?.access) tokens.latest = ours.access
  if (typeof ours?.key === 'string') tokens['session-key'] = ours.key

  const told = `${name}: ${why}`
  t.equal(answer.statusCode, status, told)
  if (request.method === 'OPTIONS') {
    t.match(answer.headers.allow, /^(GET|POST|PUT|PATCH|, )+, (HEAD, )?OPTIONS$/, `${name}: Allow`)
  }
  if (response.headers) t.equal(answer.headers.location, response.headers.location, told)
  if (expected instanceof RegExp) t.match(answer.body, expected, told)
  else t.strictSame(comparable(ours), expected, told)
  if (status >= 400 && !(expected instanceof RegExp)) {
    t.strictSame(Object.keys(ours ?? {}), Object.keys(expected ?? {}), `${told} (in order)`)
  }
  if (mails !== undefined) t.equal(mailed, mails, `${told} (mails)`)

  // A user whom Django refused to register must not exist for the next request.
  if (answer.statusCode === 201 && response.status !== 201) await app.app.restAuth.users.delete(ours.user.pk)
}

async function send ({ call }: BuiltApp, request: Recording['request'], fault: boolean) {
  const { method, path, headers = {}, body } = request
  const payload = request.payload ?? (body === undefined ? undefined : JSON.stringify(body))
  return await call(method, path, { headers, ...(payload !== undefined && { body, payload }), fault })
}

/** Stores the keys and tokens of the mails in `tokens`; returns the number of mails. */
async function readMails ({ mails }: BuiltApp, tokens: Tokens): Promise<number> {
  const all = await mails()
  for (const mail of all) {
    const key = keyIn(mail)
    if (key) Object.assign(tokens, { key, KEY: key.toUpperCase() })
    const { uid, token } = uidAndTokenIn(mail)
    if (uid) Object.assign(tokens, { uid, token })
  }
  return all.length
}

function fill (request: Recording['request'], tokens: Tokens): Recording['request'] {
  // The key of a session; mails have others.
  const text = JSON.stringify(request).replaceAll('Token <key>', 'Token <session-key>')
  return JSON.parse(text.replace(/<([\w-]+)>/g, (_all, which: string) => {
    const token = tokens[which]
    if (token === undefined) throw new Error(`no token <${which}>`)
    return token
  }))
}

/** A body without the members that are compared by shape. */
export function comparable (body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const {
    pk, access, refresh, key, access_expiration, refresh_expiration, key_expiration, missing_fields, user, ...others
  } = body as Record<string, unknown>
  const rest = {
    // Without an access token beside it, `refresh` is the name of a wrong field; and a field has a list of messages.
    ...(access === undefined && refresh !== undefined && { refresh }),
    ...(typeof key === 'object' && { key }),
    ...others
  }
  return user ? { ...rest, user: comparable(user) } : rest
}

function shapesAreRight (t: Test, name: string, body: Record<string, unknown> | null) {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
  if (typeof body?.key === 'string') t.match(body, { key: /^fra_[\w-]{49}$/, key_expiration: time }, `${name}: key`)
  if (body?.access !== undefined) {
    t.match(
      body,
      { access: /^[\w-]+\.[\w-]+\.[\w-]+$/, refresh: /^[\w-]{43}$/, access_expiration: time, refresh_expiration: time },
      `${name}: tokens`
    )
  }
  const { pk, missing_fields: missing, ...fields } = (body?.user ?? body ?? {}) as Record<string, unknown>
  if (missing !== undefined) {
    t.same(missing, Object.keys(fields).filter(name => fields[name] === ''), `${name}: missing_fields`)
  }
  if (pk !== undefined) t.match(pk, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, `${name}: pk`)
}
