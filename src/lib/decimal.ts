/** Decimal numbers, exactly: what a double can't represent, such as 0.01, is a whole number of hundredths here. */

/** The normal form of a decimal number in text, without zeros at the end: 19.90 is 19.9, and 5.00 is 5. */
export const canonicalDecimal = (text: string): string =>
  /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text

interface Decimal { digits: bigint, exponent: number }

/** The number that JavaScript writes for `value`: the shortest decimal that is read as that double. */
function decimalOf (value: number): Decimal {
  const [, whole = '', fraction = '', exponent = '0'] = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}

/** Whether `value` is a whole multiple of `unit`, as decimal numbers: 19.99 is one of 0.01, and 19.995 is not. */
export function isMultipleOf (value: number, unit: number): boolean {
  if (!Number.isFinite(value)) return false
  const [a, b] = [decimalOf(value), decimalOf(unit)]
  const exponent = Math.min(a.exponent, b.exponent)
  const scaled = ({ digits, exponent: own }: Decimal) => digits * 10n ** BigInt(own - exponent)
  return scaled(a) % scaled(b) === 0n
}
