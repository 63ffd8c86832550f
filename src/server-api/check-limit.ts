/** How many rows the app's own code may ask for at once. */
const maxLimit = 1000

/** Throws a TypeError that names the function. */
export function checkLimit (name: string, limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return
  throw new TypeError(`${name}: limit must be a whole number from 1 to ${maxLimit}`)
}
