#!/usr/bin/env node
/** The bin: `fastify-rest-auth <command>`. Each command has a file here, loaded on use if it needs the plugin. */
import { parseArgs } from 'node:util'
import { loadOptions } from './load-options.js'
import { secretCommand } from './secret.js'

const usage = `usage: fastify-rest-auth <command>

  secret                     prints a new signing secret
    --algorithm EdDSA|ES256  or a private key for tokens.keys: a JWK, or with --pem PKCS#8
  migrate [--print]          brings the database up to date, or prints the SQL that would,
                             as one transaction
  sweep                      deletes expired rows, as the app does by itself
  openapi                    prints the OpenAPI document, as JSON

migrate, sweep and openapi read your plugin options from a module:
  --options ./auth.ts        its default export, or its export named auth
  --database <file or URL>   instead of the one in the options
Without either, they use the default options; migrate and sweep need an auth.sqlite that exists.
`

async function main (): Promise<void> {
  const { values, positionals: [command = ''] } = parseArgs({
    allowPositionals: true,
    options: {
      options: { type: 'string' },
      database: { type: 'string' },
      print: { type: 'boolean', default: false },
      algorithm: { type: 'string', default: 'HS256' },
      pem: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const options = async () => {
    const { withUrl } = await import('../db/target.js')
    const loaded: { database?: unknown } = await loadOptions(values.options)
    return values.database === undefined ? loaded : { ...loaded, database: withUrl(loaded.database, values.database) }
  }
  const ownOptions = async () => {
    const { refuseMissingDefault } = await import('./database.js')
    if (values.options === undefined && values.database === undefined) refuseMissingDefault(command)
    return await options()
  }
  const commands = new Map<string, () => string | Promise<string>>([
    ['secret', () => secretCommand(values.algorithm, values.pem)],
    ['migrate', async () => {
      const { migrateCommand } = await import('./migrate.js')
      return await migrateCommand(await ownOptions(), values.print)
    }],
    ['sweep', async () => (await import('./sweep.js')).sweepCommand(await ownOptions())],
    ['openapi', async () => (await import('./openapi.js')).openapiCommand(await options())]
  ])
  const run = commands.get(command)
  console.log(run ? await run() : usage)
  if (!values.help && !run) process.exitCode = 2
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}).finally(() => {
  // The options may hold connections of the app, which would keep this process.
  process.stdout.write('', () => process.exit())
})
