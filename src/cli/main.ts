#!/usr/bin/env node
/** The bin: `fastify-rest-auth <command>`. */
import { packageVersion } from '../lib/package-version.js'
import { parse, UsageError, type Outcome } from './command.js'
import { findCommand } from './commands.js'
import { withoutPasswords } from './redact.js'
import { helpOf, isGroup, usage } from './usage.js'

const words = process.argv.slice(2)
// Known before the words are read, so that a wrong word is an error as JSON, too.
const isJson = words.includes('--json')

async function main (): Promise<void> {
  const [first = ''] = words
  if (first === '--version') return write(packageVersion())
  if (first === '--help') return write(usage())
  const row = findCommand(words)
  if (!row) return answerUnknown(first)
  const command = await row.load()
  try {
    const input = parse(row.name, command, words.slice(row.name.split(' ').length))
    if (!input) return write(helpOf(row, command))
    show(await command.run(input))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    refuse(error.message, helpOf(row, command))
  }
}

function answerUnknown (first: string): void {
  const group = isGroup(first) ? first : undefined
  if (group !== undefined && words[1] === '--help') return write(usage(group))
  const given = words.slice(0, group === undefined ? 1 : 2).join(' ')
  refuse(given === '' || given === group ? 'give a command' : `unknown command "${given}"`, usage(group))
}

function refuse (problem: string, help: string): void {
  complain(problem)
  if (!isJson) console.error(`\n${help}`)
  process.exitCode = 2
}

function show ({ text, data, note, exitCode = 0 }: Outcome): void {
  if (isJson) for (const item of Array.isArray(data) ? data : [data]) write(JSON.stringify(item))
  else if (text !== '') write(text)
  if (note !== undefined) console.error(note)
  process.exitCode = exitCode
}

const write = (text: string): void => { process.stdout.write(`${text}\n`) }

function complain (problem: string): void {
  const line = withoutPasswords(problem)
  console.error(isJson ? JSON.stringify({ error: line }) : line)
}

// A reader such as `head` may close the pipe before everything is written.
process.stdout.on('error', () => process.exit())
main().catch(async (error: unknown) => {
  const { lineOf } = await import('./error-line.js')
  complain(lineOf(error))
  process.exitCode = 1
}).finally(() => {
  // The options may hold connections of the app, which would keep this process.
  process.stdout.write('', () => process.exit())
})
