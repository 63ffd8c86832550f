/** The texts of `--help`, made from the table of commands. */
import { commonFlags, type Command, type Flags } from './command.js'
import { commands, type TableRow } from './commands.js'
import { columns } from './terminal.js'

const bin = 'fastify-rest-auth'

const general = `${bin} <command> --help shows the flags of a command, ${bin} --version the version.
The options of the plugin come from a module, with --options ./auth.ts: its default export, or its export named auth.
Without --options they come from the environment: see ${bin} serve --help.`

/** Of all commands, or of a group such as `users`. */
export function usage (group?: string): string {
  const rows = commands.filter(({ name }) => group === undefined || name.startsWith(`${group} `))
  const first = group === undefined ? '' : `${group} `
  return `usage: ${bin} ${first}<command>\n\n${columns(rows.map(({ name, summary }) => [name, summary]))}\n\n${general}`
}

/** Whether the word begins the names of several commands, such as `users`. */
export const isGroup = (word: string): boolean => commands.some(({ name }) => name.startsWith(`${word} `))

export function helpOf ({ name, summary }: TableRow, { argument, flags, notes }: Command): string {
  const call = ['usage:', bin, name, argument, '[flags]'].filter(part => part !== undefined).join(' ')
  const parts = [`${call}\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.`, columns(flagRows(flags)), notes]
  return parts.filter(part => part !== undefined).join('\n\n')
}

const flagRows = (flags: Flags): string[][] =>
  Object.entries<Flags[string]>({ ...flags, ...commonFlags }).map(([name, { value, summary, multiple }]) => [
    `--${name}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`, summary
  ])
