/** Names that no user field may have, because the plugin, JavaScript or PostgreSQL reserves them. */

const plugin = `pk id email username password password1 password2 new_password1 new_password2 old_password username_key
  usernamekey password_hash passwordhash is_active isactive is_verified email_verified
  emailverified created_at createdat last_login lastlogin access refresh access_expiration refresh_expiration user
  non_field_errors missing_fields`

const javaScript = `constructor prototype __proto__ hasownproperty isprototypeof propertyisenumerable tostring
  tolocalestring valueof tojson then`

// The columns that PostgreSQL adds to every table. Other words of SQL are fine: every name in a statement is quoted.
const systemColumns = ['ctid', 'cmin', 'cmax', 'tableoid', 'xmin', 'xmax']

const reserved = new Set([plugin, javaScript].join(' ').split(/\s+/))

/** Whether the name is reserved, regardless of its case. */
export const isReservedName = (name: string): boolean => reserved.has(name.toLowerCase())

export const isReservedColumn = (name: string): boolean =>
  isReservedName(name) || systemColumns.includes(name.toLowerCase())
