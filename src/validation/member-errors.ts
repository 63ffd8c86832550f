/** Sorts out Ajv's errors about one field: which member of an object or list each is about, and which tells most. */
import type { ErrorObject } from 'ajv'
import { pointerTo } from '../lib/json-pointer.js'

// A body can have a million members; the first faults tell enough.
const mostRead = 1000
const mostReported = 100

// Each member gets one message: that of the most telling keyword, which comes first here.
const rank = ['required', 'type', 'minLength', 'enum', 'const', 'maxLength', 'format', 'pattern', 'minimum', 'maximum']

/** The most telling error about each member, by its JSON Pointer, which for the field itself is `/field`. */
export function byMember (errors: readonly ErrorObject[]): Map<string, ErrorObject> {
  const found = new Map<string, ErrorObject>()
  for (const error of withoutBranches(errors.slice(0, mostRead))) {
    const pointer = pointerOf(error)
    const known = found.get(pointer)
    if (known ? place(error) < place(known) : found.size < mostReported) found.set(pointer, error)
  }
  return found
}

const place = ({ keyword }: ErrorObject) => (rank.indexOf(keyword) + rank.length + 1) % (rank.length + 1)

/** A missing, undeclared or misnamed member is at fault itself, not the object. */
function pointerOf ({ instancePath, params, propertyName }: ErrorObject): string {
  const member: unknown = params.missingProperty ?? params.additionalProperty ?? params.propertyName ?? propertyName
  return typeof member === 'string' ? instancePath + pointerTo([member]) : instancePath
}

/** For each union that failed, the errors of the branch that was meant, or that of the union if none is obvious. */
function withoutBranches (errors: readonly ErrorObject[]): ErrorObject[] {
  const plain = errors.filter(({ keyword }) => keyword !== 'if')
  const unions = plain.filter(({ keyword }) => keyword === 'anyOf')
  const [union] = unions.sort((a, b) => a.schemaPath.length - b.schemaPath.length)
  if (!union) return plain
  const isWithin = ({ schemaPath, instancePath }: ErrorObject) =>
    schemaPath.startsWith(`${union.schemaPath}/`) && `${instancePath}/`.startsWith(`${union.instancePath}/`)
  const others = plain.filter(error => error !== union && !isWithin(error))
  const meant = meantBranch(union, plain.filter(isWithin))
  return [...withoutBranches(others), ...(meant ? withoutBranches(meant) : [union])]
}

function meantBranch (union: ErrorObject, within: readonly ErrorObject[]): ErrorObject[] | undefined {
  // The keyword's value: `verbose` adds it.
  const branches = (union.schema as Array<{ type?: unknown }>)
    .map((branch, index) => ({ branch, errors: within.filter(error => isOf(union, index, error)) }))
    .filter(({ branch }) => branch.type !== 'null')
  const only = branches.length === 1 ? branches : branches.filter(({ errors }) => !errors.some(isOther(union, 0)))
  const fitting = only.length === 1 ? only : only.filter(({ errors }) => !errors.some(isOther(union, 1)))
  return fitting.length === 1 ? fitting[0]?.errors : undefined
}

const isOf = (union: ErrorObject, index: number, { schemaPath }: ErrorObject) =>
  schemaPath.startsWith(`${union.schemaPath}/${index}/`)

/** Whether the error says that another branch was meant: a wrong type or literal in the value, or in its members. */
const isOther = (union: ErrorObject, depth: number) => ({ keyword, instancePath }: ErrorObject) =>
  (depth === 0 ? ['type', 'enum'] : ['enum']).includes(keyword) &&
  instancePath.split('/').length === union.instancePath.split('/').length + depth
