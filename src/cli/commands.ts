/** The table of commands. The file of each is loaded on use, since most of them need the whole plugin. */
import type { Command } from './command.js'

export interface TableRow {
  /** One or two words. */
  name: string
  summary: string
  load: () => Promise<Command>
}

export const commands: readonly TableRow[] = [
  {
    name: 'secret',
    summary: 'prints a new secret, or a private key for tokens.keys; or rotates the secret',
    load: async () => (await import('./secret.js')).secret
  },
  {
    name: 'migrate',
    summary: 'brings the database up to date, or prints the SQL that would',
    load: async () => (await import('./migrate.js')).migrateDatabase
  },
  {
    name: 'sweep',
    summary: 'deletes expired rows, as the app does by itself',
    load: async () => (await import('./sweep.js')).sweep
  },
  {
    name: 'openapi',
    summary: 'prints the OpenAPI document, as JSON',
    load: async () => (await import('./openapi.js')).openapi
  }
]

/** The command that these words begin with. */
export const findCommand = (words: readonly string[]): TableRow | undefined =>
  commands.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
