/** A name server for tests. It knows MX and TXT records; all other names do not exist. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from './build.js'

const types: Record<number, string> = { 15: 'MX', 16: 'TXT' }

/** `records`: by `MX name` or `TXT name`. Returns its address, for `Resolver.setServers`. */
export async function startDnsServer (t: Test, records: Record<string, string[]>): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => socket.send(answer(query, records), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => { socket.close() })
  return `127.0.0.1:${socket.address().port}`
}

/** RFC 1035 §4: the header and the question of the query, with the answers behind them. */
function answer (query: Buffer, records: Record<string, string[]>): Buffer {
  const labels: string[] = []
  let end = 12
  for (let length = query[end]; length; length = query[end]) {
    labels.push(query.toString('ascii', end + 1, end + 1 + length))
    end += 1 + length
  }
  const type = query.readUInt16BE(end + 1)
  const found = records[`${types[type]} ${labels.join('.')}`] ?? []
  const header = Buffer.from(query.subarray(0, 12))
  // A response; code 3 says that there is no such name.
  header.writeUInt16BE(found.length > 0 ? 0x8180 : 0x8183, 2)
  for (const [offset, count] of [[6, found.length], [8, 0], [10, 0]] as const) header.writeUInt16BE(count, offset)
  return Buffer.concat([header, query.subarray(12, end + 5), ...found.map(value => record(type, value))])
}

function record (type: number, value: string): Buffer {
  const data = type === 15 ? mx(value) : Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  const head = Buffer.alloc(12)
  // The name is that of the question, at byte 12; class IN, a minute.
  for (const [offset, word] of [[0, 0xc00c], [2, type], [4, 1], [8, 60], [10, data.length]] as const) {
    head.writeUInt16BE(word, offset)
  }
  return Buffer.concat([head, data])
}

const mx = (exchange: string): Buffer => Buffer.concat([
  Buffer.from([0, 10]),
  ...exchange.split('.').map(label => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
  Buffer.from([0])
])
