/**
 * Generates openapi.yaml: the document of the article's app (npm start) with all its providers, identical on every
 * machine.
 *
 *   npm run openapi
 */
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { buildApp, providersOf } from '../examples/article/app.js'
import { mintToken } from '../src/lib/secrets.js'

/** Every provider of the app, regardless of this machine's environment. */
export const social = providersOf({
  GOOGLE_CLIENT_ID: 'x',
  GOOGLE_CLIENT_SECRET: 'y',
  GITHUB_CLIENT_ID: 'x',
  GITHUB_CLIENT_SECRET: 'y'
})

export const openapiFile = new URL('../openapi.yaml', import.meta.url)

/** What `npm start` serves only with the variables of `social`. */
const addition = 'This is the document of `npm start`, and beyond it shows the login with Google and GitHub, which ' +
  'that app has only if it finds their client IDs in its environment.'

/** The document as YAML. */
export async function openapiYaml (): Promise<string> {
  const app = await buildApp({ database: ':memory:', secret: mintToken(), social })
  await app.ready()
  const document = app.restAuth.openapi()
  await app.close()
  const info = Object(document.info)
  const description = `${info.description}\n\n${addition}`
  return stringify({ ...document, info: { ...info, description } }, { aliasDuplicateObjects: false, lineWidth: 0 })
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Production refuses the example's plain http address; the document is the same.
  process.env.NODE_ENV = 'development'
  await writeFile(openapiFile, await openapiYaml())
}
