/** The time `seconds` after `time`, or before it if negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000)

export const earlierOf = (one: Date, other: Date): Date => one < other ? one : other
