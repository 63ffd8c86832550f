/** A Django database to read from. Every value comes as text, so that both databases are read in the same way. */
export type Row = Record<string, string | null>

export interface Source {
  /** Reads with a query whose parameters are `$1`, `$2`, … */
  read: (query: string, values?: readonly string[]) => Promise<Row[]>
  /** Reads `table`, `column`, `type` and `key` (whether it is part of the primary key) of each column. */
  catalogue: string
  close: () => Promise<void>
}

/** Both databases' booleans as text. */
export const isTrue = (value: string | null | undefined): boolean => /^(1|t|true)$/.test(value ?? '')

/** Rows by the value of one column. */
export function groupBy (rows: readonly Row[], column: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const value = String(row[column])
    const group = groups.get(value)
    if (group) group.push(row)
    else groups.set(value, [row])
  }
  return groups
}
