/** Password hashes for tests. */
import type { HashCost } from '../lib/password-hash.js'

/**
 * Takes a tenth of a millisecond, so the hash is worth nothing. Its tag keeps it from opening an account of another
 * app, whose database it might get into.
 */
export const cheapHash: HashCost = { memoryCost: 256, timeCost: 1, parallelism: 1, tag: 'test' }
