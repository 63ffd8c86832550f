/** TypeScript's language service, which editors ask what to offer and to show, over the app in test/types/editor. */
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'test/types/editor')
export const app = join(folder, 'app.ts')

const { options } = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), { declaration: true }, {
  ...ts.sys, onUnRecoverableConfigFileDiagnostic: ({ messageText }) => { throw new Error(String(messageText)) }
}) ?? { options: {} }

const imports = `import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import restAuth, { defineRestAuth } from 'fastify-rest-auth'
const app = Fastify()
`

/** `snippets` are statements, by name; each is a file of its own, and `|` in it is the cursor. */
export function openEditor (snippets: Record<string, string>) {
  const texts = new Map(Object.entries(snippets).map(([name, text]) => [join(folder, `${name}.ts`), imports + text]))
  const read = (file: string) => texts.get(file)?.replace('|', '') ?? ts.sys.readFile(file)
  const service = ts.createLanguageService({
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getCompilationSettings: () => options,
    getScriptFileNames: () => [app, ...texts.keys()],
    getScriptVersion: () => '1',
    getScriptSnapshot: file => {
      const text = read(file)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: file => texts.has(file) || ts.sys.fileExists(file),
    readFile: read,
    ...(ts.sys.realpath && { realpath: ts.sys.realpath })
  })
  const cursorIn = (name: string): [file: string, position: number] => {
    const file = join(folder, `${name}.ts`)
    return [file, texts.get(file)?.indexOf('|') ?? -1]
  }
  const oneLine = (parts?: ts.SymbolDisplayPart[]) => ts.displayPartsToString(parts).replaceAll(/\s+/g, ' ')

  return {
    /** What is offered at the cursor, with its doc comment. */
    completions (name: string): Record<string, string> {
      const [file, position] = cursorIn(name)
      const entries = service.getCompletionsAtPosition(file, position, {})?.entries ?? []
      const detailsOf = (name: string) =>
        service.getCompletionEntryDetails(file, position, name, {}, undefined, {}, undefined)
      return Object.fromEntries(entries.map(({ name }) => [name, oneLine(detailsOf(name)?.documentation)]))
    },
    /** The doc comment of what the cursor is in front of. */
    hover: (name: string): string => oneLine(service.getQuickInfoAtPosition(...cursorIn(name))?.documentation),
    errors (name: string): string[] {
      const file = join(folder, `${name}.ts`)
      return [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)]
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    },
    /** How many types the compiler has made of generic ones so far. */
    instantiations: (): number => service.getProgram()?.getInstantiationCount() ?? 0,
    /** The .d.ts of the app. */
    declarations: (): string => service.getEmitOutput(app, true, true).outputFiles.map(({ text }) => text).join('\n')
  }
}
