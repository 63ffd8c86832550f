/**
 * Writes openapi.yaml: the document of the article's app, the same on every machine and on every day.
 *
 *   npm run openapi
 */
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { buildApp, providersOf } from '../examples/article/app.js'
import { mintToken } from '../src/lib/secrets.js'

/** Every provider that the app knows, whatever this machine's environment says. */
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
  // The example's address is plain http, which production refuses; the document is the same there.
  process.env.NODE_ENV = 'development'
  await writeFile(openapiFile, await openapiYaml())
}
