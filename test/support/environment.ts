import type { Test } from './build.js'

/** Sets NODE_ENV to `production` until the end of the test. */
export function inProduction (t: Test): void {
  const { NODE_ENV: before } = process.env
  process.env.NODE_ENV = 'production'
  t.teardown(() => {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  })
}
