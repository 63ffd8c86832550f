// Fails if coverage is too low. Not covered are only branches of `??` for the compiler and a missing driver's message.
import { readFileSync } from 'node:fs'

const least = { lines: 99.5, statements: 99.5, functions: 97, branches: 96 }
const { total } = JSON.parse(readFileSync(new URL('../.tap/report/coverage-summary.json', import.meta.url), 'utf8'))
const missed = Object.entries(least).filter(([what, percent]) => total[what].pct < percent)
for (const [what, percent] of missed) {
  console.error(`coverage of ${what} is ${total[what].pct} %, less than ${percent} %`)
}
process.exit(missed.length > 0 ? 1 : 0)
