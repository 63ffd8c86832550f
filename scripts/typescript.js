/**
 * Runs the tests' TypeScript: `--import` this. Each file is compiled once, not once for each of the processes that
 * load it, and who finds all of them compiled does not load the compiler.
 */
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
