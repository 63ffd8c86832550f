/**
 * Random declarations and random values: what is accepted is stored and answered unchanged, what an independent
 * validator refuses is refused, and the OpenAPI document says the same. Some fields have twins without a column: one
 * that is not stored, which the hook gets, and one that is computed. FAST_CHECK_SEED repeats a run.
 */
import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { Validator, type Schema } from '@cfworker/json-schema'
import type { TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { bodySchemaIn } from './support/answers.js'
import { fieldCodes, password, story, t, type BuiltApp } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { createModel, declarations, type Declaration, type Json, type Verdict } from './support/field-schemas.js'

const seed = Number(process.env.FAST_CHECK_SEED ?? Math.floor(Math.random() * 2 ** 31))
// On each of the two databases: 10,400 values in all.
const [apps, fieldsPerApp, valuesPerField, twinsPerApp] = [13, 20, 20, 5]

interface Field extends Declaration {
  name: string
  model: (value: unknown) => Verdict
  /** A value that it accepts. */
  fine: unknown
}
type Values = Record<string, unknown>

/** The schemas and values of the fields that the error names. */
const explain = (error: string, fields: Field[], given: Values) => fields
  .filter(({ name }) => error.includes(`'${name}'`) || error.includes(`${name} is`))
  .map(({ name, schema, registration }) =>
    `${name} (${registration}): ${JSON.stringify(schema)} ← ${JSON.stringify(given[name])}`).join('\n').slice(0, 8000)

function createCheck ({ app, call, get, post, logs }: BuiltApp, fields: Field[], heard: Values[]) {
  const document = app.restAuth.openapi() as Json
  const published: Record<'register' | 'patch', Json> = {
    register: bodySchemaIn(document, '/auth/registration', 'post').properties,
    patch: bodySchemaIn(document, '/auth/user', 'patch').properties
  }
  const validators = fields.flatMap(({ name }) => [published.register[name], published.patch[name]]
    .map(schema => ({ name, validator: new Validator(schema as Schema, '2020-12') })))
  const answerValidator = new Validator(document.components.schemas.AuthUser as Schema, '2020-12')
  const twins = fields.slice(0, twinsPerApp)
  const required = Object.fromEntries([...fields, ...twins.map(asAsked)]
    .filter(({ registration }) => registration === 'required').map(({ name, fine }) => [name, fine]))
  let users = 0
  let token: string | undefined
  let user: Values = {}

  const register = async (values: Values) => await post('/registration', {
    email: `user${++users}@example.com`, password1: password, ...required, ...values
  })

  return async function check (given: Values): Promise<void> {
    logs.length = 0
    await checkValues(given).catch((error: Error) => {
      const failure = logs.find(line => line.includes('"level":50'))
      throw failure === undefined ? error : new Error(`${error.message}\n${failure}`)
    })
  }

  async function checkValues (given: Values): Promise<void> {
    const verdicts = fields.filter(({ name, schema }) => !isBlankFormat(schema as Json, given[name]))
      .map(({ name, model }) => ({ name, value: given[name], verdict: model(given[name]) }))
    for (const { name, value, verdict } of verdicts) checkPublished(name, value, verdict)
    const body = Object.fromEntries(verdicts.map(({ name, value }) => [name, value]))
    const refused = verdicts.filter(({ verdict }) => !verdict.accepted).map(({ name }) => name)
    const good = verdicts.flatMap(({ name, value, verdict }) =>
      verdict.accepted ? [{ name, value, stored: plain(verdict.stored) }] : [])
    if (token === undefined || users % 4 === 0) await checkRegistration(body, refused, good)
    await checkEdit(body, refused, good)
  }

  function checkPublished (name: string, value: unknown, verdict: Verdict): void {
    // No schema can say that a text has no NUL.
    if (!verdict.accepted && verdict.isText) return
    for (const { validator } of validators.filter(one => one.name === name)) {
      const { valid } = validator.validate(typeof value === 'string' ? value.trim() : value)
      equal(valid, verdict.accepted, `${name} is published as ${JSON.stringify(validator)}`)
    }
  }

  async function checkRegistration (body: Values, refused: string[], good: Good[]): Promise<void> {
    const ofTwins = <T extends { name: string }>(all: T[]) =>
      all.filter(({ name }) => twins.some(twin => twin.name === name)).map(asAsked)
    const wrong = ofTwins(refused.map(name => ({ name, value: body[name] })))
    if (refused.length > 0) {
      checkRefusal(await register({ ...body, ...valuesOf(wrong) }), [...refused, ...wrong.map(({ name }) => name)])
    }
    const asked = ofTwins(good)
    const answer = await register(valuesOf([...good, ...asked]))
    equal(answer.statusCode, 201, answer.body)
    for (const { name, stored } of asked) deepStrictEqual(plain(heard.at(-1)?.[name]), stored, `the hook gets ${name}`)
    const { user: created, access } = answer.json()
    token = access
    checkUser(created, good)
    user = created
  }

  async function checkEdit (body: Values, refused: string[], good: Good[]): Promise<void> {
    if (refused.length > 0) {
      checkRefusal(await call('PATCH', '/user', { body, token }), refused)
      deepStrictEqual((await get('/user', { token })).json(), user, 'nothing is stored')
    }
    const answer = await call('PATCH', '/user', { body: valuesOf(good), token })
    equal(answer.statusCode, 200, answer.body)
    user = answer.json()
    checkUser(user, good)
    deepStrictEqual((await get('/user', { token })).json(), user, 'as it is read')
    const form = formOf(fields, good)
    const sent = await call('PATCH', '/user', { payload: form.toString(), headers: formHeaders, token })
    equal(sent.statusCode, 200, sent.body)
    user = sent.json()
    checkUser(user, good)
  }

  function checkUser (user: Values, good: Good[]): void {
    for (const { name, stored } of good) deepStrictEqual(user[name], stored, `${name} is answered`)
    for (const { name, value } of twins.flatMap(asComputed)) deepStrictEqual(user[name], value, `${name} is computed`)
    const { valid, errors } = answerValidator.validate(user)
    ok(valid, `the answer is as published: ${JSON.stringify(errors)}`)
  }
}

interface Good { name: string, value: unknown, stored: unknown }
const valuesOf = (fields: Array<{ name: string, value: unknown }>): Values =>
  Object.fromEntries(fields.map(({ name, value }) => [name, value]))
type Answer = Parameters<typeof fieldCodes>[0]

function checkRefusal (answer: Answer, refused: string[]): void {
  equal(answer.statusCode, 400, answer.body)
  deepStrictEqual(Object.keys(fieldCodes(answer)).sort(), [...refused].sort(), answer.body)
}

/** JSON has no negative zero. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** What a blank text means in a field with a format depends on the route: docs/user-fields.md. */
const isBlankFormat = ({ format }: Json, value: unknown) =>
  format !== undefined && typeof value === 'string' && value.trim() === ''

/** The field with a value that it accepts; optional if there is none. */
function fieldOf (declaration: Declaration, name: string, seed: number): Field {
  const model = createModel(declaration)
  const { schema, values, registration } = declaration
  const fine = fc.sample(values, { seed, numRuns: 200 })
    .find(value => !isBlankFormat(schema as Json, value) && model(value).accepted)
  if (fine !== undefined || registration === 'optional') return { ...declaration, name, model, fine }
  return fieldOf({ ...declaration, registration: 'optional' }, name, seed)
}

const formHeaders = { 'content-type': 'application/x-www-form-urlencoded' }

/** What a form can send without changing its meaning: scalars that are not blank, and lists of such texts. */
function formOf (fields: Field[], good: Good[]): URLSearchParams {
  const form = new URLSearchParams()
  for (const { name, value } of good) {
    const { type, items } = fields.find(field => field.name === name)?.schema as Json
    const isText = (one: unknown) => typeof one === 'string' && one.trim() !== ''
    if (Array.isArray(value)) {
      if (items?.type === 'string' && value.length > 0 && value.every(isText)) {
        for (const one of value) form.append(name, one)
      }
    } else if (isText(value) || typeof value === 'number' || typeof value === 'boolean') {
      if (type !== 'object' && type !== 'array') form.append(name, String(value))
    }
  }
  return form
}

const fieldsOf = (seed: number) => fc.sample(declarations, { seed, numRuns: fieldsPerApp })
  .map((declaration, index) => fieldOf(declaration, `field${index}`, seed))
const asAsked = <T extends { name: string }>(field: T): T => ({ ...field, name: `asked_${field.name}` })

/** A computed field with a value that the field accepts, if there is one. */
function asComputed ({ name, model, fine, schema }: Field): Array<{ name: string, schema: TSchema, value: unknown }> {
  const verdict = model(fine)
  if (fine === undefined || fine === null || !verdict.accepted) return []
  return [{ name: `computed_${name}`, schema, value: plain(verdict.stored) }]
}

const twinOptionsOf = (fields: Field[]) => Object.fromEntries([
  ...fields.map(asAsked).map(({ name, schema, registration }) => [name, { schema, registration, stored: false }]),
  ...fields.flatMap(asComputed).map(({ name, schema, value }) => [name, { schema, compute: () => value }])
])

const optionsOf = (fields: Field[]) =>
  Object.fromEntries(fields.map(({ name, schema, registration }) => [name, { schema, registration }]))

/** What must stay the same for the app to start: the type of a column. */
const columnOf = ({ schema }: Field) => {
  const { type, const: literal, anyOf, format } = schema as Json
  if (literal !== undefined || anyOf?.some((one: Json) => 'const' in one)) return JSON.stringify(schema)
  return type === 'array' || type === 'object' || anyOf ? 'json' : format === 'decimal' ? format : type
}

t.comment(`FAST_CHECK_SEED=${seed}`)

story('any value of any field is stored and answered unchanged, or refused', async (t, build) => {
  for (let app = 0; app < apps; app++) {
    await t.test(`declarations ${app} with FAST_CHECK_SEED=${seed}`, async t => {
      const fields = fieldsOf(seed + app)
      const heard: Values[] = []
      const userFields = { ...optionsOf(fields), ...twinOptionsOf(fields.slice(0, twinsPerApp)) }
      const hooks = { registering: (input: Values) => { heard.push(input) } }
      const check = createCheck(await build(t, { options: { userFields, hooks } }), fields, heard)
      const values = fc.record(Object.fromEntries(fields.map(({ name, values }) => [name, values])))
      const { failed, errorInstance, counterexample } = await fc.check(
        fc.asyncProperty(values, async given => { await check(given as Values) }),
        { seed: seed + app, numRuns: valuesPerField, endOnFailure: Boolean(process.env.CI) }
      )
      const error = String(errorInstance)
      t.notOk(failed, failed ? `${error}\n${explain(error, fields, counterexample?.[0] as Values)}` : 'all values')
    })
  }
})

const changes = 5

story('after a changed declaration, every stored value is answered or named', async (t, build, tested) => {
  for (let pair = 0; pair < changes; pair++) {
    const told = `declarations ${pair} with FAST_CHECK_SEED=${seed}`
    const fields = fieldsOf(seed + pair)
    const others = [...fieldsOf(seed + pair + changes), ...fieldsOf(seed + pair + 2 * changes)]
    const changed = fields.map((field, index) => {
      const other = others.find((other, place) => place >= index && columnOf(other) === columnOf(field))
      return index % 2 === 0 && other ? { ...other, name: field.name } : field
    })
    const database = tested.dialect === 'sqlite' ? temporaryFile(t) : (await build(t)).database
    const start = async (fields: Field[]) => await build(t, {
      database, options: { userFields: optionsOf(fields), ...(tested.dialect === 'sqlite' && { database }) }
    })
    const values = Object.fromEntries(fields.map(({ name, fine }) => [name, fine]))
    const first = await start(fields)
    const registered = await first.post('/registration', {
      email: 'alice@example.com', password1: password, ...values
    })
    t.equal(registered.statusCode, 201, registered.body)
    const { user } = registered.json()
    const login = { email: 'alice@example.com', password }
    const second = await start(changed).catch((error: Error) => error)
    if (second instanceof Error) {
      t.match(second.message, /^fastify-rest-auth: userFields\.field\d+: its column is /, told)
    } else {
      const answer = await second.post('/login', login)
      t.equal(answer.statusCode, 200, `${told} ${answer.body}`)
      const { user: later } = answer.json()
      for (const { name } of changed) {
        const [before, now] = [user[name], later[name]]
        const isNamed = now === null && later.missing_fields?.includes(name)
        t.ok(isNamed || isDeepStrictEqual(now, before), `${told}: ${name} is ${JSON.stringify(now)}`)
      }
    }
    const again = (await (await start(fields)).post('/login', login)).json().user
    t.ok(fields.every(({ name }) => isDeepStrictEqual(again[name], user[name])), `${told}: nothing is lost`)
  }
})
