/**
 * Runs the TypeScript of the tests: load it with `--import`. Each file is compiled once for all processes, and a
 * process that finds every file compiled does not load the compiler.
 */
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
