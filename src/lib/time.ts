/** The clocks of several servers may differ by so much. */
export const clockSkewSeconds = 60

/** The time `seconds` after `time`, or before it if negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000)

export const earlierOf = (one: Date, other: Date): Date => one < other ? one : other

const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute']] as const

/** For people: the largest unit that divides it, but `24 hours` for a day. Otherwise in minutes, rounded down. */
export function describeDuration (seconds: number): string {
  const [size, unit] = units.find(([size]) => seconds % size === 0 && seconds > (size === 86400 ? size : 0)) ?? units[2]
  const count = Math.floor(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
