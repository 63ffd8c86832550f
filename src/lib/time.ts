/** The time so many seconds after another; before it, where they are negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000)
