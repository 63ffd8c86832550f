/**
 * Packs an app and the plugin into one file with esbuild, and copies the files that the plugin reads.
 *
 *   npx tsx build.ts && node dist/app.mjs
 */
import { cp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type BuildOptions } from 'esbuild'

/** What must be installed beside the bundle: native code, and packages that read files of their own. */
export const external = ['better-sqlite3', '@node-rs/argon2', '@node-rs/bcrypt', 'pg', 'mjml', '@fastify/swagger-ui']

// Packages in CommonJS use these names, which an ES module does not have.
const banner = `
import { createRequire as createRequireHere } from 'node:module'
const require = createRequireHere(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`

/** `options` replace options of esbuild. */
export async function bundle (entry: string, outdir: string, options: BuildOptions = {}) {
  const result = await build({
    entryPoints: [entry],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: banner },
    external,
    ...options
  })
  const root = dirname(createRequire(import.meta.url).resolve('fastify-rest-auth/package.json'))
  for (const name of ['package.json', 'migrations', 'email-templates']) {
    await cp(join(root, name), join(outdir, 'fastify-rest-auth', name), { recursive: true })
  }
  return result
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await bundle(join(import.meta.dirname, 'app.ts'), 'dist')
}
