/**
 * A tap reporter that prints failed and skipped tests as they happen, the rows of tables that tests write as comments,
 * and at the end «N passed, N failed, N skipped». It counts tests, not files or assertions.
 */
import { Transform } from 'node:stream'
import { Parser } from 'tap-parser'

export default class Reporter extends Transform {
  counts = { passed: 0, failed: 0, skipped: 0 }
  parser = new Parser()

  constructor () {
    super()
    this.parser.on('child', file => this.watchFile(file))
    this.parser.on('bailout', reason => this.say(`Bail out! ${reason}`))
  }

  _transform (chunk, _encoding, done) {
    this.parser.write(chunk)
    done()
  }

  _flush (done) {
    this.parser.once('finish', () => {
      const { passed, failed, skipped } = this.counts
      if (!process.env.POSTGRES_URL) {
        this.say('not run: a PostgreSQL server (POSTGRES_URL is not set); its stories ran on PGlite instead')
      }
      if (!process.env.REDIS_URL) this.say('not run: the limits in Redis (REDIS_URL is not set)')
      this.say(`${passed} passed, ${failed} failed, ${skipped} skipped`)
      done()
    })
    this.parser.end()
  }

  say (line) {
    this.push(`${line}\n`)
  }

  /** Counts the top-level tests of a file, or the file itself if it fails without one: by not loading or timing out. */
  watchFile (file) {
    const before = this.counts.failed
    file.on('child', test => this.watchTest(test, [file.name, test.name]))
    file.on('assert', result => {
      if (result.skip) this.say(`skipped: ${file.name}: ${result.name} (${result.skip})`)
      else if (!result.ok) this.say(`FAILED: ${file.name}: ${result.name}`)
      this.counts[result.skip ? 'skipped' : result.ok ? 'passed' : 'failed']++
    })
    file.on('complete', () => {
      this.parser.once('assert', result => {
        if (result.ok || this.counts.failed > before) return
        this.counts.failed++
        this.say(`FAILED: ${file.name} (it did not run to its end)`)
      })
    })
  }

  watchTest (test, path) {
    test.on('child', inner => this.watchTest(inner, [...path, inner.name]))
    test.on('comment', comment => { if (comment.startsWith('# |')) this.push(comment.slice(2)) })
    test.on('assert', result => {
      if (result.ok || result.skip || result.todo) return
      this.say(`\n${path.join(' › ')} › ${result.name}`)
      if (result.diag) this.say(JSON.stringify(result.diag, null, 2).replaceAll('\\n', '\n').slice(0, 4000))
    })
  }
}
