/** Holds every answer of every test against its route's declaration, and the log against every secret. */
import addFormatsModule from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

// CommonJS under NodeNext: the function is the module, and its `default`.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> }

type Document = { paths: Record<string, Record<string, Operation>> }

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }))
const documents = new Map<string, (...path: string[]) => ValidateFunction>()

/** The schemas of a document, by where they stand in it. Most apps of a file have the same, and compiling takes longer than a test. */
function readDocument (document: Document): (...path: string[]) => ValidateFunction {
  const text = JSON.stringify(document)
  const known = documents.get(text)
  if (known) return known
  const name = `document-${documents.size}`
  ajv.addSchema(document, name)
  const validators = new Map<string, ValidateFunction>()
  const validatorOf = (...path: string[]): ValidateFunction => {
    const $ref = `${name}#/${path.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const validate = validators.get($ref) ?? ajv.compile({ $ref })
    validators.set($ref, validate)
    return validate
  }
  documents.set(text, validatorOf)
  return validatorOf
}

/** The one judge of every answer: declared, typed, uncached, and without anybody's secret; a token in a cookie is one. */
export function createResponseChecks (t: Test, { app, logs, secrets }: { app: FastifyInstance, logs: string[], secrets: Set<string> }) {
  const document = app.restAuth.openapi() as Document
  const validatorOf = readDocument(document)
  const inCookies = new Set<string>()
  t.teardown(() => {
    const text = logs.join('')
    for (const secret of secrets) if (text.includes(secret)) t.fail('a secret stands in the log', { secret })
  })

  return (method: string, answer: LightMyRequestResponse, sent: unknown, fault: boolean): void => {
    const path = new URL(answer.raw.req.url ?? '', 'http://localhost').pathname.replace(/\/$/, '')
    const where = `${method} ${path} → ${answer.statusCode}`
    const problem = (what: string): void => { t.fail(`${where}: ${what}`, { body: answer.body.slice(0, 1000) }) }
    if (answer.statusCode >= 500 && !fault) problem('a 5xx without a fault')
    // Public keys, and nothing else, may be kept.
    const cached =
      answer.statusCode === 200 && path.endsWith('/.well-known/jwks.json') ? 'public, max-age=300' : 'no-store'
    if (answer.headers['cache-control'] !== cached) problem('may be cached')
    if (answer.headers['x-content-type-options'] !== 'nosniff') problem('may be sniffed')
    if (answer.statusCode === 401 && !answer.headers['www-authenticate']) problem('401 without a challenge')
    if (answer.statusCode === 405 && !answer.headers.allow) problem('405 without Allow')
    for (const [key, value] of Object.entries(sent ?? {})) {
      if (!/password/.test(key) || typeof value !== 'string' || value.length < 8) continue
      secrets.add(value)
      if (answer.body.includes(JSON.stringify(value).slice(1, -1))) problem(`tells ${key}`)
    }
    for (const cookie of answer.cookies) {
      if (!cookie.httpOnly || !cookie.sameSite || !cookie.path || cookie.maxAge === undefined) { problem(`the cookie ${cookie.name} is open`) }
      // What is taken back is empty.
      if (cookie.value !== '') inCookies.add(cookie.value)
    }
    for (const token of inCookies) {
      secrets.add(token)
      if (answer.body.includes(token)) problem('tells a token that travels in a cookie')
    }
    if (answer.body === '') return
    const type = String(answer.headers['content-type']).split(';')[0] ?? ''
    const isPage = type === 'text/html'
    if (!isPage && !['application/json', 'application/problem+json'].includes(type)) { return problem(`content type ${type}`) }
    const body = isPage ? judgePage(answer, problem) : answer.json()
    if (typeof body?.access === 'string') for (const token of [body.access, body.refresh]) secrets.add(token)
    if (!isPage && [404, 405].includes(answer.statusCode)) return
    // A method the path does not know is answered as its others are: first, who are you?
    const [template = path, operations = {}] =
      Object.entries(document.paths).find(([known]) => matches(known, path)) ?? []
    // Forms of pages are not documented.
    if (isPage && !operations[method.toLowerCase()]) return
    const known = operations[method.toLowerCase()] ? method.toLowerCase() : Object.keys(operations)[0] ?? ''
    if (!operations[known]?.responses[answer.statusCode]?.content?.[type]) return problem('undeclared')
    if (isPage) return
    const validate = validatorOf(
      'paths',
      template,
      known,
      'responses',
      String(answer.statusCode),
      'content',
      type,
      'schema'
    )
    if (!validate(body)) problem(`not as declared: ${ajv.errorsText(validate.errors)}`)
  }
}

const matches = (template: string, path: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path)

/** A page runs nothing, fetches nothing, and tells its address, which holds a token, to nobody. */
function judgePage ({ headers, body }: LightMyRequestResponse, problem: (what: string) => void): void {
  if (!/^default-src 'none'; /.test(String(headers['content-security-policy']))) { problem('a page without a strict policy') }
  // To ourselves a page may, whose address holds nothing.
  if (!['no-referrer', 'same-origin'].includes(String(headers['referrer-policy']))) { problem('a page that tells its address') }
  if (/<script|\son\w+=|(src|href)="(?!\/|https?:)/i.test(body)) problem('a page with a script')
}
