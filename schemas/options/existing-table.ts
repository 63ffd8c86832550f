/** The option `account.table`: a table of users that the app had before the plugin. */
import { Type } from '@sinclair/typebox'
import { closed, Group } from './builders.js'

const Name = (title: string, description: string) =>
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$', title, description })
const Column = (description: string) => Name('the name of a column', description)

export const ExistingTableOptions = Type.Object({
  name: Name(
    'the name of a table, such as accounts',
    'The table of users that your app already has. See docs/existing-table.md.'
  ),
  key: Type.Optional(Type.String({
    ...Column('Column of its key: an integer, a uuid or text.'), default: 'id'
  })),
  columns: Type.Optional(Group({
    email: Column('Column of the e-mail address. Default: `email`.'),
    username: Column('Column of the username. Default: `username`.'),
    username_key: Column('Column of what usernames are compared by. Default: `username_key`.'),
    password_hash: Column('Column of the password hash. Default: `password_hash`.'),
    email_verified: Column('Column that says whether the address is verified. Default: `email_verified`.'),
    is_active: Column('Column that says whether the user may log in. Default: `is_active`.'),
    created_at: Column('Column of the time of registration. Default: `created_at`.'),
    last_login: Column('Column of the time of the last login. Default: `last_login`.')
  }, 'Columns of the table that have other names than the plugin\'s. The migration adds those that it lacks.'))
}, {
  ...closed,
  description: 'Your own table of users, which the plugin uses instead of making one. See docs/existing-table.md.'
})

/** A column of the plugin in the table of users, by its name. */
export type OwnColumn = keyof typeof ExistingTableOptions.properties.columns.properties

export const ownColumns = Object.keys(ExistingTableOptions.properties.columns.properties) as OwnColumn[]
