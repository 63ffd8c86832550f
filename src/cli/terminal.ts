/** What the commands write for people: tables, colours, and questions. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Rows with aligned columns, indented by two. */
export function columns (rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_cell, index) => Math.max(...rows.map(row => row[index]?.length ?? 0)))
  return rows
    .map(row => `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ').trimEnd()}`)
    .join('\n')
}

/** Without what a terminal would execute, or show in another order: users choose their names and user agents. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '�')

type Colour = 'green' | 'yellow' | 'red' | 'dim'

/** Colours the text if stdout is a terminal, and the environment has no NO_COLOR. */
export const coloured = (colour: Colour, text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR && process.stdout.hasColors() ? styleText(colour, text) : text

/** Whether somebody can answer questions. They go to stderr, because stdout is for the result. */
export const isInteractive = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Asks on the terminal; `hidden` answers are not shown. Throws an Error if the user cancels. */
export async function ask (questions: readonly string[], { hidden = false } = {}): Promise<string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: hidden ? nowhere : process.stderr, terminal: true })
  const cancelled = new Promise<never>((_resolve, reject) => {
    lines.once('close', () => reject(new Error('cancelled')))
  })
  cancelled.catch(() => {})
  const answers: string[] = []
  try {
    for (const question of questions) {
      if (hidden) process.stderr.write(question)
      const answer = new Promise<string>(resolve => { lines.question(hidden ? '' : question, resolve) })
      answers.push(await Promise.race([answer, cancelled]))
      if (hidden) process.stderr.write('\n')
    }
    return answers
  } finally {
    lines.close()
  }
}
