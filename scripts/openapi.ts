/**
 * Generates openapi.yaml: the document of the article's app, identical on every machine.
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

/** The document as YAML. */
export async function openapiYaml (): Promise<string> {
  const app = await buildApp({ database: ':memory:', secret: mintToken(), social })
  await app.ready()
  const document = app.restAuth.openapi()
  await app.close()
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 })
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Production refuses the example's plain http address; the document is the same.
  process.env.NODE_ENV = 'development'
  await writeFile(openapiFile, await openapiYaml())
}
