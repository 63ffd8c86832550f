/** Checks every response of every test against its route's declaration, and the log against every secret. */
import addFormatsModule from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

// CommonJS under NodeNext: the function is the module, and its `default`.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> }
type Document = { paths: Record<string, Record<string, Operation>> }
type ValidatorAt = (...path: string[]) => ValidateFunction
type Report = (problem: string) => void

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true, ownProperties: true }))
// Ajv divides doubles (19.99 would be no multiple of 0.01), and compares items by calling their `toString`.
for (const keyword of ['multipleOf', 'uniqueItems']) ajv.removeKeyword(keyword)
const documents = new Map<string, ValidatorAt>()

/** Finds the validator at a path of a document. Apps share them, since compiling takes longer than a test. */
function readDocument (document: Document): ValidatorAt {
  const text = JSON.stringify(document)
  const known = documents.get(text)
  if (known) return known
  const name = `document-${documents.size}`
  ajv.addSchema(document, name)
  const validators = new Map<string, ValidateFunction>()
  const validatorAt: ValidatorAt = (...path) => {
    const pointer = path.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: `${name}#/${pointer}` })
    validators.set(pointer, validate)
    return validate
  }
  documents.set(text, validatorAt)
  return validatorAt
}

export interface Checked {
  app: FastifyInstance
  logs: string[]
  /** Grows with each response; none of them may be in the log when the test ends. */
  secrets: Set<string>
}

/** Makes the check of one response: its headers, its secrets and its body. */
export function createResponseChecks (t: Test, { app, logs, secrets }: Checked) {
  // restAuth.openapi() has no type of its own: it is JSON.
  const document = app.restAuth.openapi() as Document
  const validatorAt = readDocument(document)
  const inCookies = new Set<string>()
  t.teardown(() => {
    const text = logs.join('')
    for (const secret of secrets) if (text.includes(secret)) t.fail('a secret is in the log', { secret })
  })

  /** `sent` is the body of the request; `fault` allows a 5xx. */
  return function check (method: string, response: LightMyRequestResponse, sent: unknown, fault: boolean): void {
    const path = new URL(response.raw.req.url ?? '', 'http://localhost').pathname.replace(/\/$/, '')
    const where = `${method} ${path} → ${response.statusCode}`
    const report: Report = problem => { t.fail(`${where}: ${problem}`, { body: response.body.slice(0, 1000) }) }
    if (response.statusCode >= 500 && !fault) report('a 5xx without a fault')
    checkHeaders(response, path, report)
    checkPasswords(sent, response, report)
    checkCookies(response, report)
    if (response.body !== '') checkBody(method, path, response, report)
  }

  function checkPasswords (sent: unknown, { body }: LightMyRequestResponse, report: Report): void {
    for (const [key, value] of Object.entries(sent ?? {})) {
      if (!/password/.test(key) || typeof value !== 'string' || value.length < 8) continue
      secrets.add(value)
      if (body.includes(JSON.stringify(value).slice(1, -1))) report(`shows ${key}`)
    }
  }

  function checkCookies ({ body, cookies }: LightMyRequestResponse, report: Report): void {
    for (const { name, value, httpOnly, sameSite, path, maxAge } of cookies) {
      if (!httpOnly || !sameSite || !path || maxAge === undefined) report(`the cookie ${name} lacks an attribute`)
      // A deleted cookie is empty.
      if (value !== '') inCookies.add(value)
    }
    for (const token of inCookies) {
      secrets.add(token)
      if (body.includes(token)) report('shows a token that belongs in a cookie')
    }
  }

  function checkBody (method: string, path: string, response: LightMyRequestResponse, report: Report): void {
    const type = String(response.headers['content-type']).split(';')[0] ?? ''
    const isPage = type === 'text/html'
    if (!isPage && !['application/json', 'application/problem+json'].includes(type)) {
      return report(`content type ${type}`)
    }
    const body = isPage ? checkPage(response, report) : response.json()
    if (typeof body?.access === 'string') for (const token of [body.access, body.refresh]) secrets.add(token)
    if (!isPage && [404, 405].includes(response.statusCode)) return

    const [template = path, operations = {}] =
      Object.entries(document.paths).find(([known]) => matches(known, path)) ?? []
    // The forms of pages are not documented.
    if (isPage && !operations[method.toLowerCase()]) return
    // Authentication comes before the 405: a 401 to a wrong method is declared with the path's other methods.
    const declared = operations[method.toLowerCase()] ? method.toLowerCase() : Object.keys(operations)[0] ?? ''
    const status = String(response.statusCode)
    if (!operations[declared]?.responses[status]?.content?.[type]) return report('undeclared')
    if (isPage) return
    const validate = validatorAt('paths', template, declared, 'responses', status, 'content', type, 'schema')
    if (!validate(body)) report(`not as declared: ${ajv.errorsText(validate.errors)}`)
  }
}

const matches = (template: string, path: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path)

function checkHeaders ({ statusCode, headers }: LightMyRequestResponse, path: string, report: Report): void {
  // Only the public keys may be cached.
  const isPublic = statusCode === 200 && path.endsWith('/.well-known/jwks.json')
  if (headers['cache-control'] !== (isPublic ? 'public, max-age=300' : 'no-store')) report('may be cached')
  if (headers['x-content-type-options'] !== 'nosniff') report('may be sniffed')
  if (statusCode === 401 && !headers['www-authenticate']) report('401 without a challenge')
  if (statusCode === 405 && !headers.allow) report('405 without Allow')
}

/** A page runs no script, loads nothing from elsewhere, and does not leak its URL, which has a token, as Referer. */
function checkPage ({ headers, body }: LightMyRequestResponse, report: Report): void {
  if (!/^default-src 'none'; /.test(String(headers['content-security-policy']))) report('a page without a strict CSP')
  // Pages without a token in their URL may send it to their own origin.
  const policy = String(headers['referrer-policy'])
  if (!['no-referrer', 'same-origin'].includes(policy)) report('a page that leaks its URL')
  if (/<script|\son\w+=|(src|href)="(?!\/|https?:)/i.test(body)) report('a page with a script')
}
