/** What an editor shows to people who write options: completion, doc comments and errors of the language service. */
import type { Static, TSchema } from '@sinclair/typebox'
import { readFileSync } from 'node:fs'
import { optionTypes } from '../scripts/option-types.js'
import { Options } from '../schemas/options.js'
import type { CheckedOptions } from '../schemas/options/types.js'
import { t } from './support/build.js'
import { openEditor } from './support/language-service.js'

interface Group { before: string, after: string, descriptions: Record<string, string> }

/** The objects of options, each with the text around one, and the description of each of its options. */
function groupsOf (schema: TSchema, before = '{ ', after = ' }'): Group[] {
  const properties = Object.entries(schema.properties as Record<string, TSchema>)
  const descriptions = Object.fromEntries(properties.map(([name, { description = '' }]) => [name, description]))
  return [{ before, after, descriptions }, ...properties.flatMap(([name, property]) => {
    const entry = Object.values<TSchema>(property.patternProperties ?? {}).find(hasProperties)
    if (entry) return groupsOf(entry, `${before}${name}: { one: { `, ` } }${after}`)
    const group = [property, ...(property.anyOf ?? []) as TSchema[]].find(hasProperties)
    return group ? groupsOf(group, `${before}${name}: { `, ` }${after}`) : []
  })]
}

const hasProperties = ({ properties = {} }: TSchema) => Object.keys(properties as object).length > 0

const groups = groupsOf(Options)
const forms: Array<[name: string, call: (options: string) => string]> = [
  ['defineRestAuth', options => `defineRestAuth(${options})`],
  ['register', options => `app.register(restAuth, ${options})`]
]
const typos: Array<[options: string, meant: string]> = [
  ["{ account: { username: 'none', emailVerificaton: 'none' } }", 'emailVerification'],
  ['{ tokens: { acess: 300, claims: user => ({ name: user.email }) } }', 'access'],
  ['{ tokens: { refresh: { absolut: 300 } } }', 'absolute'],
  ["{ social: { google: { clientId: 'x', clientSecret: 'y', scope: [] } } }", 'scopes'],
  ['{ hooks: { logedIn: () => {} } }', 'loggedIn'],
  ["{ mail: { transprot: 'console' } }", 'transport']
]
const inside = '{ userFields: { gender: { schema: Type.String(), | } } }'

const fields = "name: { schema: Type.Object({ list: Type.Array(Type.Integer()) }), registration: 'optional' }"

const editor = openEditor({
  ...Object.fromEntries(forms.flatMap(([form, call]) => [
    ...groups.map(({ before, after }, index) => [`${form}-${index}`, call(`${before}|${after}`)]),
    ...typos.map(([options], index) => [`${form}-typo-${index}`, call(options)]),
    [`${form}-field`, call(inside)],
    [`${form}-top`, call("{ prefix: '/a', tokns: {} }")],
    [`${form}-word`, call("{ account: { username: '|' } }")]
  ])),
  'hover-group': "defineRestAuth({ |account: { username: 'none' } })",
  'hover-option': "defineRestAuth({ account: { |username: 'none' } })",
  'hover-field': 'defineRestAuth({ userFields: { gender: { schema: Type.String(), |unique: true } } })',
  'hover-hook': 'defineRestAuth({ hooks: { |registered: async user => { await fetch(user.pk) } } })',
  'field-typo': "defineRestAuth({ userFields: { gender: { schema: Type.String(), userDetail: 'hidden' } } })",
  under: "app.restAuth.under('|')",
  many: `export const many = defineRestAuth({
    userFields: { ${Array.from({ length: 20 }, (_, index) => fields.replace('name', `field_${index}`)).join(', ')} },
    hooks: { registered: user => { user.field_19?.list.at(0)?.toFixed() } }
  })`
})

t.test('the types of the options are those of their schema, as npm run docs writes them', async t => {
  t.equal(readFileSync(new URL('../schemas/options/types.ts', import.meta.url), 'utf8'), optionTypes())
  // Checked by the compiler.
  const given: CheckedOptions = { prefix: '/auth' }
  const checked: Static<typeof Options> = given
  t.equal(checked.prefix, '/auth')
})

t.test('the app of the editor compiles: with its own types of under(), claims() and the tables', async t => {
  t.same(editor.errors('app'), [])
})

for (const [form] of forms) {
  t.test(`${form}: completion offers every option of every object, with its sentence`, async t => {
    for (const [index, { before, descriptions }] of groups.entries()) {
      const { logLevel: _level, logSerializers: _serializers, ...offered } = editor.completions(`${form}-${index}`)
      t.same(offered, { ...descriptions, ...(before === '{ ' && { prefix: offered.prefix }) }, before)
    }
    t.match(editor.completions(`${form}-0`).prefix, Options.properties.prefix.description)
  })

  t.test(`${form}: completion offers the other keys of a user field, and the words of a choice`, async t => {
    t.match(Object.keys(editor.completions(`${form}-field`)).sort(), [
      'column', 'compute', 'eager', 'normalize', 'registration', 'stored', 'unique', 'userDetails'
    ])
    t.same(Object.keys(editor.completions(`${form}-word`)).sort(), ['none', 'optional', 'required'])
  })

  t.test(`${form}: an unknown option is an error, and a misspelt one is told what it was meant to be`, async t => {
    t.match(editor.errors(`${form}-top`).join('\n'), /'tokns' does not exist in type/)
    for (const [index, [options, meant]] of typos.entries()) {
      t.match(editor.errors(`${form}-typo-${index}`).join('\n'), `Did you mean to write '${meant}'?`, options)
    }
  })
}

t.test('an unknown key of a user field is an error that names it', async t => {
  t.match(editor.errors('field-typo').join('\n'), 'UnknownOption<"userDetail">')
})

t.test('an option that the pointer is on shows its sentence', async t => {
  const { account, userFields, hooks } = Options.properties
  t.equal(editor.hover('hover-group'), account.description)
  t.equal(editor.hover('hover-option'), account.properties.username.description)
  t.equal(
    editor.hover('hover-field'), Object.values<TSchema>(userFields.patternProperties)[0]?.properties.unique.description
  )
  t.equal(editor.hover('hover-hook'), hooks.properties.registered.description)
})

t.test('completion offers the paths of registrations that the app declares', async t => {
  t.match(Object.keys(editor.completions('under')), ['/staff'])
})

t.test("the declaration file of an app's options names only packages that the app has", async t => {
  const declarations = editor.declarations()
  t.match(declarations, /auth: import\("fastify-rest-auth"\)\.DefinedOptions</)
  t.notMatch(declarations, /import\("\.[^"]+"\)/)
})

t.test('twenty user fields add less than a third to the work of checking the types of an app', async t => {
  editor.errors('app')
  const without = editor.instantiations()
  t.same(editor.errors('many'), [])
  t.ok(editor.instantiations() < 1.3 * without)
})
