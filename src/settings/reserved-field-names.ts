/** Names that no user field may have, because the plugin, JavaScript or SQL reserves them. */

const plugin = `pk id email username password password1 password2 new_password1 new_password2 old_password username_key
  usernamekey password_hash passwordhash is_active isactive is_verified email_verified
  emailverified created_at createdat last_login lastlogin access refresh access_expiration refresh_expiration user
  non_field_errors missing_fields`

const javaScript = `constructor prototype __proto__ hasownproperty isprototypeof propertyisenumerable tostring
  tolocalestring valueof tojson then`

// Words that PostgreSQL or SQLite reserves, and the system columns of their tables.
const sql = `all analyse analyze and any array as asc asymmetric add alter authorization begin between binary both by
  case cast check collate collation column commit concurrently constraint create cross current_catalog current_date
  current_role current_schema current_time current_timestamp current_user default deferrable delete desc distinct do
  drop else end escape except exists false fetch for foreign freeze from full glob grant group having ilike in index
  initially inner insert intersect into is isnull join lateral leading left like limit localtime localtimestamp match
  natural not notnull null offset on only or order outer overlaps placing primary raise references returning right
  rollback rowid select session_user set similar some symmetric table tablesample then to trailing transaction trigger
  true union unique update using values variadic verbose view when where window with without
  cmax cmin ctid oid tableoid xmax xmin`

const reserved = new Set([plugin, javaScript, sql].join(' ').split(/\s+/))

/** Whether the name is reserved, regardless of its case. */
export const isReservedName = (name: string): boolean => reserved.has(name.toLowerCase())
