/** What a command is, and how its words are read. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

export interface Flag {
  type: 'string' | 'boolean'
  /** Whether it may be given more than once. */
  multiple?: true
  /** What stands for the value in the help, such as `<file>`. */
  value?: string
  summary: string
}
export type Flags = Record<string, Flag>

/** The values of the flags that were given. */
export type Values<F extends Flags> = {
  [Name in keyof F]?: (
    F[Name] extends { type: 'boolean' } ? boolean : F[Name] extends { multiple: true } ? string[] : string
  ) | undefined
}

export interface Input<F extends Flags = Flags> {
  values: Values<F>
  /** Empty if the command takes none. */
  argument: string
}

/** What a command has found or done: for people, and for programs with `--json`. */
export interface Outcome {
  text: string
  /** A list is printed as one line for each item. */
  data: unknown
  /** For people, beside the result. */
  note?: string | undefined
  /** Default: 0. */
  exitCode?: number
}

export interface Command<F extends Flags = Flags> {
  /** What stands for the argument in the help, such as `<pk>`; a command without it takes none. */
  argument?: string
  flags: F
  /** More for its help: whole lines. */
  notes?: string
  /** A method, so that the table may hold commands with different flags. Throws an Error of one line. */
  run (input: Input<F>): Promise<Outcome>
}

/** The command is not used as its help says: exit code 2. */
export class UsageError extends Error {}

export const defineCommand = <const F extends Flags>(command: Command<F>): Command<F> => command

/** Flags of every command. */
export const commonFlags = {
  json: { type: 'boolean', summary: 'print the result, or the error, as JSON' },
  help: { type: 'boolean', summary: 'show this help' }
} as const satisfies Flags

/** Reads what follows the name of a command; undefined if its help is wanted. Throws a UsageError. */
export function parse (name: string, { flags, argument }: Command, words: string[]): Input | undefined {
  const { values, positionals } = parseFlags(name, { ...flags, ...commonFlags }, words)
  if (values.help === true) return undefined
  const expected = argument === undefined ? 0 : 1
  if (positionals.length !== expected) {
    const problem = positionals.length > expected ? `unexpected "${positionals[expected]}"` : `${argument} is missing`
    throw new UsageError(`${name}: ${problem}`)
  }
  // Of the types that the flags say, as parseArgs has checked.
  return { values: values as Input['values'], argument: positionals[0] ?? '' }
}

function parseFlags (name: string, options: NonNullable<ParseArgsConfig['options']>, args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    const [problem = ''] = error instanceof Error ? error.message.split(/\. |\n/) : []
    throw new UsageError(`${name}: ${problem.replace(/^[A-Z]/, first => first.toLowerCase()).replace(/\.$/, '')}`)
  }
}
