// Starts the copied examples as apps that installed the package, and asks each for one page. Exits with 1 if one fails.
// Usage: node examples.mjs FOLDER, where FOLDER/<example>/app.js is compiled.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { drizzle } from 'drizzle-orm/pglite'

const folder = resolve(process.argv[2])
const mail = { transport: async () => {} }
const options = { database: ':memory:', docs: false, mail }

const examples = {
  minimal: [({ buildApp }) => buildApp(options), '/me', 401],
  article: [({ auth, buildApp }) => buildApp({ ...options, mail: { ...auth.mail, ...mail } }), '/me', 401],
  cookies: [({ buildApp }) => buildApp(options), '/main.js', 200],
  'magic-link': [({ buildApp }) => buildApp(async () => {}, options), '/me', 401],
  social: [({ buildApp }) => buildApp(options), '/', 200],
  postgres: [({ buildApp }) => buildApp(drizzle(), { docs: false, mail }), '/profile', 401],
  'jwks-service': [({ buildService }) => buildService(), '/orders', 401]
}

for (const [name, [build, url, expected]] of Object.entries(examples)) {
  const own = join(folder, name)
  for (const file of readdirSync(own).filter(file => file.endsWith('.ts'))) {
    assert.doesNotMatch(readFileSync(join(own, file), 'utf8'), /'\.\.\//, `${name}/${file} leaves its folder`)
  }
  const app = await build(await import(join(own, 'app.js')))
  const { statusCode, body } = await app.inject(url)
  assert.equal(statusCode, expected, `${name}: ${body}`)
  await app.close()
  console.log(`examples/${name} runs where it is copied to`)
}
