/** Reads the fields of a `multipart/form-data` body (RFC 7578), all of which is in memory. Files are refused. */
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import { failure } from '../errors/failure.js'

const limits = { parts: 100, headerPairs: 16, headerSize: 1024 }

/** Throws `malformed_body`. */
export async function readMultipart (body: Buffer, headers: BusboyHeaders): Promise<URLSearchParams> {
  const parser = createParser(headers)
  return await new Promise((resolve, reject) => {
    const fields = new URLSearchParams()
    parser.on('field', (name, value, _isNameTruncated, _isValueTruncated, encoding) => {
      // RFC 7578 §4.7 leaves no other encoding. An encoded password must not be stored as it is.
      if (!/^(7bit|8bit|binary)$/i.test(encoding)) reject(malformed())
      fields.append(name, value)
    })
    parser.on('file', (_name, file) => {
      file.resume()
      reject(malformed('files are not accepted'))
    })
    parser.on('partsLimit', () => reject(malformed('too many fields')))
    parser.on('error', () => reject(malformed()))
    parser.on('finish', () => resolve(fields))
    parser.end(body)
  })
}

function createParser (headers: BusboyHeaders): BusboyInstance {
  try {
    return new Busboy({ headers, limits })
  } catch {
    throw malformed('no boundary')
  }
}

const malformed = (reason = 'not a valid form') => failure('malformed_body', { reason })
