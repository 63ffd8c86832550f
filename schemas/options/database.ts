/** The long form of the option `database`. */
import { Type } from '@sinclair/typebox'
import { Group } from './builders.js'

export const DatabaseOptions = Group({
  url: Type.String({
    title: 'a SQLite file or a postgres:// URL',
    description: 'A SQLite file, `:memory:` or `postgres://…`.'
  }),
  drizzle: Type.Object({}, {
    title: 'a Drizzle instance',
    description: 'Your Drizzle instance, instead of `url`.'
  }),
  tables: Type.String({
    pattern: '^(?!pg_|sqlite_)[a-z][a-z0-9_]{0,19}$',
    title: 'a prefix such as staff_: at most 20 lower-case letters, digits and _, a letter first, not pg_ or sqlite_',
    description: 'What the names of the tables begin with, such as `staff_`. A registration with a prefix of its own ' +
      'has users of its own.'
  }),
  schema: Type.String({
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
    title: 'the name of a schema, such as auth',
    description: "The schema of the tables on PostgreSQL. Default: the first in the connection's search path."
  }),
  share: Type.Boolean({
    title: 'true or false',
    default: false,
    description: 'Let this registration use the tables of another one in the app, and so the same users.'
  }),
  prepare: Type.Boolean({
    title: 'true or false',
    default: true,
    description: 'Keep frequent statements prepared on PostgreSQL. Set `false` for a pooler that does not track them.'
  }),
  pool: Type.Object({}, {
    title: "options of node-postgres' Pool, such as { max: 20 }",
    description: "Options of node-postgres' `Pool` for a `postgres://` URL, such as `max`, `ssl` or " +
      '`statement_timeout`.'
  })
})
