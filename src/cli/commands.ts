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
  },
  {
    name: 'users create',
    summary: 'creates a user',
    load: async () => (await import('./users/create.js')).createUser
  },
  {
    name: 'users list',
    summary: 'lists users, or finds them by a part of their address or username',
    load: async () => (await import('./users/list.js')).listUsers
  },
  {
    name: 'users show',
    summary: 'shows a user with their sessions and social accounts',
    load: async () => (await import('./users/show.js')).showUser
  },
  {
    name: 'users deactivate',
    summary: 'ends all sessions of a user and prevents new ones',
    load: async () => (await import('./users/activation.js')).deactivateUser
  },
  {
    name: 'users activate',
    summary: 'lets a deactivated user log in again, or one with a locked login',
    load: async () => (await import('./users/activation.js')).activateUser
  },
  {
    name: 'users send-reset',
    summary: 'mails a user a link to choose a new password',
    load: async () => (await import('./users/send-reset.js')).sendReset
  },
  {
    name: 'users end-sessions',
    summary: 'logs a user out everywhere',
    load: async () => (await import('./users/end-sessions.js')).endSessions
  },
  {
    name: 'users delete',
    summary: 'deletes a user with all that belongs to them',
    load: async () => (await import('./users/delete.js')).deleteUser
  },
  {
    name: 'import django',
    summary: 'stores the users of a Django and allauth database',
    load: async () => (await import('./import-django.js')).importDjango
  },
  {
    name: 'serve',
    summary: 'runs a server that has the routes of the plugin',
    load: async () => (await import('./serve/serve.js')).serve
  },
  {
    name: 'doctor',
    summary: 'checks the configuration, and all that the app depends on',
    load: async () => (await import('./doctor/doctor.js')).doctor
  }
]

/** The command that these words begin with. */
export const findCommand = (words: readonly string[]): TableRow | undefined =>
  commands.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
