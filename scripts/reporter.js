/**
 * A tap reporter that says what failed and skipped as it happens, and closes with «N passed, N failed, N skipped»,
 * counting tests, not files or assertions.
 */
import { Parser } from 'tap-parser'

const counts = { passed: 0, failed: 0, skipped: 0 }
const parser = new Parser()

/** Suites are files; a test is what stands directly in a file, and a file that never got to a test counts itself. */
function watch (file, name) {
  let tests = 0
  file.on('assert', result => {
    tests++
    if (result.skip) {
      counts.skipped++
      console.log(`skipped: ${result.name}: ${result.skip}`)
    } else if (result.ok || result.todo) {
      counts.passed++
    } else {
      counts.failed++
      console.log(`\nFAILED: ${name} > ${result.name}`)
    }
  })
  file.on('child', test => watchAsserts(test, [name, test.name]))
  file.on('complete', results => {
    if (!results.ok && tests === 0) {
      counts.failed++
      console.log(`\nFAILED: ${name} did not run`)
    }
  })
}

function watchAsserts (test, path) {
  test.on('child', inner => watchAsserts(inner, [...path, inner.name]))
  test.on('assert', result => {
    if (result.ok || result.skip || result.todo || (result.diag && Object.keys(result.diag).length === 0)) return
    console.log(`\nFAILED: ${path.join(' > ')}: ${result.name}`)
    if (result.diag) console.log(JSON.stringify(result.diag, null, 2).slice(0, 3000))
  })
}

parser.on('child', file => watch(file, file.name))
parser.on('bailout', reason => console.log(`Bail out! ${reason}`))
parser.on('complete', () => {
  if (!process.env.POSTGRES_URL) console.log('not run: a PostgreSQL server (POSTGRES_URL is not set); its stories ran on PGlite instead')
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
})
process.stdin.pipe(parser)
