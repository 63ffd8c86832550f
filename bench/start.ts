/**
 * How long does an app take from the start of its process until it listens? Starts, in turn, an app without the plugin
 * and one with the built plugin, on SQLite in memory and without `docs`, and prints the medians.
 *
 *   npm run bench:start            builds first
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const runs = 10
const root = join(import.meta.dirname, '..')
const register = `
  const { default: restAuth } = await import('fastify-rest-auth')
  await app.register(restAuth, { database: ':memory:', docs: false })`

const program = (line: string) => `
  const { default: Fastify } = await import('fastify')
  const app = Fastify()
  ${line}
  await app.listen({ port: 0 })
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ elapsedMs: performance.now(), processorMs: (user + system) / 1000 }))
  await app.close()
`
const programs = { 'Fastify alone': program(''), 'with the plugin': program(register) }

interface Start { elapsedMs: number, processorMs: number }

async function start (source: string): Promise<Start> {
  const words = ['--input-type=module', '--eval', source]
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]?.toFixed(0)

const starts = new Map<string, Start[]>(Object.keys(programs).map(name => [name, []]))
for (let run = 0; run < runs; run++) {
  for (const [name, source] of Object.entries(programs)) starts.get(name)?.push(await start(source))
}
for (const [name, measured] of starts) {
  const elapsed = median(measured.map(({ elapsedMs }) => elapsedMs))
  const processor = median(measured.map(({ processorMs }) => processorMs))
  console.log(`${name.padEnd(16)} ${elapsed} ms until it listens, ${processor} ms of processor time`)
}
