/** A clock that stands still until a test moves it. */

export interface TestClock {
  /** The time of the plugin: of tokens, links, mails and stored dates. You can set it. */
  now: Date
  /** Moves the clock forward by this number of seconds. */
  advance: (seconds: number) => void
}

export function createTestClock (start: Date): TestClock {
  const clock: TestClock = {
    now: start,
    advance: seconds => { clock.now = new Date(clock.now.getTime() + seconds * 1000) }
  }
  return clock
}
