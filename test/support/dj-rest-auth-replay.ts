/**
 * What dj-rest-auth 7 answered, and how our answers are compared with it: every recorded request of
 * fixtures/dj-rest-auth-wire.jsonl is sent here with `errors: 'drf'`, and answered alike, but for a table of differences.
 *
 * Tokens and `pk` are compared by shape (a string there, a number here is no difference), all else by content,
 * errors in their order too. `<access>`, `<expired>`… in a recording stand for tokens made here, `<key>`, `<uid>` and
 * `<token>` for those of the last mails that went out.
 */
import { readFileSync } from 'node:fs'
import { story, t, type BuiltApp, type Test } from './build.js'

export interface Recording {
  name: string
  profile:
    'article' | 'default' | 'full' | 'throttle' | 'bodyrefresh' | 'token' | 'tokennosession' | 'session' | 'logoutget'
  /** `payload` is a body sent as it is. */
  request: {
    method: 'GET' | 'OPTIONS'
    path: string
    headers?: Record<string, string>
    body?: unknown
    payload?: string
  }
  /** `mails`: how many went out for it, where they were counted. */
  response: { status: number, headers?: { location: string }, body: unknown, mails?: number }
}

/** What it sent to a provider. */
export interface SentRecording {
  name: string
  sent: { path: string, form: Record<string, string> }
}

const lines: Array<Recording | SentRecording> = readFileSync(
  new URL('../fixtures/dj-rest-auth-wire.jsonl', import.meta.url),
  'utf8'
)
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))
export const recordings = lines.filter(line => 'request' in line)
export const sentRecordings = lines.filter(line => 'sent' in line)

/** What we answer instead, and why; a body is compared as the recorded one would be, a RegExp with the text. */
export interface Difference {
  why: string
  status: number
  body: unknown
  mails?: number
}

export interface Scene {
  /** What the names of its recordings begin with. */
  of: string[]
  options: object | ((t: Test, tokens: Tokens) => Promise<object>)
  /** What the recordings leave out: before the one of that name (`start`: before all). */
  before?: Record<string, (app: BuiltApp, tokens: Tokens) => Promise<void>>
}
/** `latest`: the access token that was answered last. */
export type Tokens = Record<string, string>

const isOf = ({ of }: Scene) => ({ name }: Recording) => of.some(start => name.startsWith(start))

/** The stories of these recordings, scene by scene. */
export function replayScenes (recordings: Recording[], scenes: Record<string, Scene>, differences: Record<string, Difference>): void {
  for (const [title, scene] of Object.entries(scenes)) {
    story(`${title} answers as dj-rest-auth does, but for the decisions in the table`, async (t, build) => {
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

  void t.test(
    'every recording is replayed once, and every entry of the table is a recording that is answered otherwise',
    async t => {
      for (const recording of recordings) { t.equal(Object.values(scenes).filter(scene => isOf(scene)(recording)).length, 1, recording.name) }
      for (const [name, { status, body, mails }] of Object.entries(differences)) {
        const { response } = recordings.find(recording => recording.name === name) ?? {}
        if (!response) t.fail(`${name} was never recorded`)
        else {
          t.strictNotSame(
            [status, body, mails ?? response.mails],
            [response.status, comparable(response.body), response.mails],
            name
          )
        }
      }
    }
  )
}

async function replay (t: Test, app: BuiltApp, { name, request, response }: Recording, tokens: Tokens, difference?: Difference) {
  const mailsBefore = await readMails(app, tokens)
  const {
    method,
    path,
    headers = {},
    body,
    payload = body === undefined ? undefined : JSON.stringify(body)
  } = fill(request, tokens)
  const {
    status,
    body: expected,
    why,
    mails = response.mails
  }: Difference = difference ?? { why: 'as dj-rest-auth', status: response.status, body: comparable(response.body) }
  const answer = await app.call(method, path, {
    headers,
    ...(payload !== undefined && { body, payload }),
    fault: status >= 500
  })
  const mailed = await readMails(app, tokens) - mailsBefore
  const isPage = String(answer.headers['content-type']).startsWith('text/html')
  const ours = answer.body === '' ? null : isPage ? answer.body : answer.json()
  shapesAreRight(t, name, ours)
  if (path.startsWith('/login') && ours.access) Object.assign(tokens, { access: ours.access, refresh: ours.refresh })
  if (ours?.access) tokens.latest = ours.access

  const told = `${name}: ${why}`
  t.equal(answer.statusCode, status, told)
  if (method === 'OPTIONS') { t.match(answer.headers.allow, /^(GET|POST|PUT|PATCH|, )+, (HEAD, )?OPTIONS$/, `${name}: Allow`) }
  if (response.headers) t.equal(answer.headers.location, response.headers.location, told)
  if (expected instanceof RegExp) t.match(answer.body, expected, told)
  else t.strictSame(comparable(ours), expected, told)
  if (status >= 400 && !(expected instanceof RegExp)) { t.strictSame(Object.keys(ours ?? {}), Object.keys(expected ?? {}), `${told} (in order)`) }
  if (mails !== undefined) t.equal(mailed, mails, `${told} (mails)`)

  // Whom Django turned away is not there for the next request.
  if (answer.statusCode === 201 && response.status !== 201) await app.app.restAuth.users.delete(ours.user.pk)
}

/** Notes what the links of the last mails carry; answers with how many mails have come. */
async function readMails ({ mails }: BuiltApp, tokens: Tokens): Promise<number> {
  const all = await mails()
  for (const { text } of all) {
    const [, key] = /account-confirm-email\/([\w-]{43})\s/.exec(text) ?? []
    if (key) Object.assign(tokens, { key, KEY: key.toUpperCase() })
    const [, uid, token] = /password\/reset\/confirm\/([^/\s]+)\/([\w-]{43})\s/.exec(text) ?? []
    if (uid && token) Object.assign(tokens, { uid, token })
  }
  return all.length
}

function fill (request: Recording['request'], tokens: Tokens): Recording['request'] {
  // Without JWTs dj-rest-auth had tokens of another scheme; here there is one kind.
  const text = JSON.stringify(request).replaceAll('Token <key>', 'Bearer <access>')
  return JSON.parse(text.replace(/<([\w-]+)>/g, (_all, which: string) => {
    const token = tokens[which]
    if (token === undefined) throw new Error(`no token <${which}>`)
    return token
  }))
}

/** Without what is compared by shape. */
function comparable (body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const { pk, access, refresh, access_expiration, refresh_expiration, user, ...others } = body as Record<
    string,
    unknown
  >
  // Without an access token beside it, it is a field at fault.
  const rest = access === undefined && refresh !== undefined ? { refresh, ...others } : others
  return user ? { ...rest, user: comparable(user) } : rest
}

function shapesAreRight (t: Test, name: string, body: Record<string, unknown> | null) {
  if (body?.access !== undefined) {
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
    t.match(
      body,
      { access: /^[\w-]+\.[\w-]+\.[\w-]+$/, refresh: /^[\w-]{43}$/, access_expiration: time, refresh_expiration: time },
      `${name}: tokens`
    )
  }
  const { pk } = (body?.user ?? body ?? {}) as { pk?: string }
  if (pk !== undefined) t.match(pk, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, `${name}: pk`)
}
