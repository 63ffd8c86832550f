/**
 * What semantic versioning covers, as lines of text, so that two versions can be compared: docs/upgrades.md. Names that
 * a version lacks break somebody; new ones do not. In bodies it is the other way round for what is required.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm'
import ts from 'typescript'

export interface Surface {
  /** `fastify-rest-auth/schemas createContract`. */
  exports: string[]
  /** `POST /auth/login`, `POST /auth/login 200 user.email`, `POST /auth/login body password`. */
  routes: string[]
  /** Members that a request body must have. */
  required: string[]
  /** `invalid_credentials 400`. */
  codes: string[]
  /** `account.username`, `account.username = "none"`, `account.username: "required"`. */
  options: string[]
  /** `sqlite users.email text`. */
  columns: string[]
  /** The member `event` of lines in the log. */
  events: string[]
}

/** The parts of a version, compiled or not. */
export interface Version {
  /** The files of the entries by their name in `exports`. */
  entries: Record<string, string>
  Options: TSchema
  errors: Record<string, unknown>
  events: Record<string, unknown>
  tables: Record<'sqlite' | 'postgres', object>
  document: object
}

/** The files that a package's `exports` name under a condition such as `types`. */
export function entriesOf (folder: string, condition: string): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Record<string, string | Record<string, string>>
  }
  return Object.fromEntries(Object.entries(exports).flatMap(([name, conditions]) => {
    const file = typeof conditions === 'string' ? undefined : conditions[condition]
    return file === undefined ? [] : [[name.replace(/^\./, 'fastify-rest-auth'), join(folder, file)]]
  }))
}

export function surfaceOf ({ entries, Options, errors, events, tables, document }: Version): Surface {
  const operations = operationsOf(document as Json)
  return {
    exports: sorted(Object.entries(entries).flatMap(([entry, file]) =>
      exportsOf(file).map(name => `${entry} ${name}`))),
    routes: sorted(operations.flatMap(({ lines }) => lines)),
    required: sorted(operations.flatMap(({ required }) => required)),
    codes: sorted(Object.entries(errors).map(([code, row]) => `${code} ${statusOf(row)}`)),
    options: sorted(optionLines(Options, '')),
    columns: sorted(Object.entries(tables).flatMap(([dialect, module]) => columnLines(dialect, module))),
    events: sorted(Object.keys(events))
  }
}

const sorted = (lines: string[]) => [...new Set(lines)].sort()

/** In 0.1.0, a row of the table was a tuple. */
const statusOf = (row: unknown): unknown => Array.isArray(row) ? row[0] : (row as { status: number }).status

/** All names, types too. Only files of the package are read: other packages' types take seconds. */
function exportsOf (file: string): string[] {
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noLib: true }
  const host = ts.createCompilerHost(options)
  host.resolveModuleNameLiterals = (literals, containing) => literals.map(({ text }) => {
    const path = resolve(dirname(containing), text).replace(/\.js$/, '')
    const found = text.startsWith('.') ? [`${path}.ts`, `${path}.d.ts`].find(ts.sys.fileExists) : undefined
    return {
      resolvedModule: found === undefined
        ? undefined
        : { resolvedFileName: found, extension: found.endsWith('.d.ts') ? ts.Extension.Dts : ts.Extension.Ts }
    }
  })
  const program = ts.createProgram([file], options, host)
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  return module ? checker.getExportsOfModule(module).map(({ name }) => name) : []
}

function optionLines (schema: TSchema, path: string): string[] {
  return Object.entries((schema.properties ?? {}) as Record<string, TSchema>).flatMap(([name, property]) => {
    const whole = `${path}${name}`
    const members = (property.anyOf ?? []) as TSchema[]
    const named = Object.values((property.patternProperties ?? {}) as Record<string, TSchema>)
    return [
      whole,
      ...property.default === undefined ? [] : [`${whole} = ${JSON.stringify(property.default)}`],
      ...members.filter(member => 'const' in member).map(member => `${whole}: ${JSON.stringify(member.const)}`),
      ...[property, ...members].flatMap(member => optionLines(member, `${whole}.`)),
      ...named.flatMap(member => optionLines(member, `${whole}.<name>.`))
    ]
  })
}

function columnLines (dialect: string, module: object): string[] {
  const tables = Object.values(module).filter((value): value is Table => is(value, Table))
  return tables.flatMap(table => Object.values(getTableColumns(table)).map(column =>
    `${dialect} ${getTableName(table)}.${column.name} ${column.getSQLType()}`))
}

type Json = Record<string, any>

function operationsOf (document: Json) {
  const follow = (schema: Json): Json => {
    const target = typeof schema.$ref === 'string'
      ? schema.$ref.slice(2).split('/').reduce<Json>((part, key) => part[key], document)
      : undefined
    return target ? follow(target) : schema
  }

  /** `user.email`, at any depth; `list[].id`. */
  function members (given: Json, path = ''): string[] {
    const schema = follow(given)
    const branches: Json[] = [...schema.anyOf ?? [], ...schema.oneOf ?? [], ...schema.allOf ?? []]
    return [
      ...branches.flatMap(branch => members(branch, path)),
      ...schema.items ? members(schema.items, `${path}[]`) : [],
      ...Object.entries<Json>(schema.properties ?? {}).flatMap(([name, property]) => {
        const whole = path === '' ? name : `${path}.${name}`
        return [whole, ...members(property, whole)]
      })
    ]
  }

  const schemaOf = ({ content = {} }: Json): Json => content['application/json']?.schema ?? {}

  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).filter(([, operation]) => 'responses' in operation).map(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`
      const body = schemaOf(follow(operation.requestBody ?? {}))
      const successes = Object.entries<Json>(operation.responses).filter(([status]) => status < '4')
      return {
        lines: [
          name,
          ...members(body).map(member => `${name} body ${member}`),
          ...((operation.parameters ?? []) as Json[]).map(parameter => `${name} ${parameter.in} ${parameter.name}`),
          ...successes.flatMap(([status, response]) => [
            `${name} ${status}`, ...members(schemaOf(follow(response))).map(member => `${name} ${status} ${member}`)
          ])
        ],
        required: ((follow(body).required ?? []) as string[]).map(member => `${name} body ${member}`)
      }
    }))
}
