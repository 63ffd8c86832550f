/** Checks the records that let other mail servers accept the mails: MX, SPF, DMARC, DKIM. */
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Check } from './check.js'

interface DnsOptions {
  domain: string | undefined
  dkimSelector: string | undefined
  /** Instead of the resolver of the system. */
  server: string | undefined
}

export async function checkDns ({ domain, dkimSelector, server }: DnsOptions): Promise<Check[]> {
  if (domain === undefined || !domain.includes('.') || isIP(domain) !== 0) {
    return [{ name: 'dns', status: 'skipped', message: 'could not check: no sender domain; set mail.from' }]
  }
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  if (server !== undefined) resolver.setServers([server])
  const texts = async (name: string) => (await found(resolver.resolveTxt(name))).map(parts => parts.join(''))
  const dkim = async (selector: string) =>
    checkDkim(domain, selector, await texts(`${selector}._domainkey.${domain}`))
  return await Promise.all([
    answered('mx', async () => checkMx(domain, await found(resolver.resolveMx(domain)))),
    answered('spf', async () => checkSpf(domain, await texts(domain))),
    answered('dmarc', async () => await checkDmarc(domain, texts)),
    ...(dkimSelector === undefined ? [] : [answered('dkim', async () => await dkim(dkimSelector))])
  ])
}

type Finding = Omit<Check, 'name'>

/** Without a network, nothing is known of the domain. */
async function answered (name: string, check: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...await check() }
  } catch (error) {
    return { name, status: 'skipped', message: `could not check: the name server did not answer (${codeOf(error)})` }
  }
}

const codeOf = (error: unknown): string => String(Object(error).code ?? error)

/** No records is an answer, too. */
const found = async <T>(query: Promise<T[]>): Promise<T[]> => await query.catch((error: unknown) => {
  if (['ENODATA', 'ENOTFOUND'].includes(codeOf(error))) return []
  throw error
})

function checkMx (domain: string, records: ReadonlyArray<{ exchange: string }>): Finding {
  return records.some(({ exchange }) => exchange !== '')
    ? { status: 'ok', message: `${domain} receives mail` }
    : { status: 'warning', message: `${domain} has no MX record, so replies and bounces are lost` }
}

function checkSpf (domain: string, texts: readonly string[]): Finding {
  const { length: count } = texts.filter(text => /^v=spf1( |$)/i.test(text))
  if (count === 1) return { status: 'ok', message: `${domain} says who may send its mail` }
  return count === 0
    ? { status: 'warning', message: `${domain} has no SPF record; add the one that your mail service names` }
    : { status: 'failed', message: `${domain} has ${count} SPF records, which is an error; merge them into one` }
}

/** A record of a domain above counts, too (RFC 7489 §6.6.3). */
async function checkDmarc (domain: string, texts: (name: string) => Promise<string[]>): Promise<Finding> {
  const labels = domain.split('.')
  for (let start = 0; start <= labels.length - 2; start++) {
    const parent = labels.slice(start).join('.')
    const record = (await texts(`_dmarc.${parent}`)).find(text => /^v=DMARC1\s*(;|$)/i.test(text))
    if (record !== undefined) return { status: 'ok', message: `${parent} has a policy: ${policyOf(record)}` }
  }
  return { status: 'warning', message: `${domain} has no DMARC record; add _dmarc.${domain} TXT "v=DMARC1; p=none"` }
}

const policyOf = (record: string): string => /;\s*p\s*=\s*(\w+)/i.exec(record)?.[1] ?? 'none'

function checkDkim (domain: string, selector: string, texts: readonly string[]): Finding {
  return texts.some(text => /(^|;)\s*p\s*=\s*[A-Za-z0-9+/]/.test(text))
    ? { status: 'ok', message: `${domain} has the key ${selector}` }
    : { status: 'failed', message: `${selector}._domainkey.${domain} has no key; add the record of your mail service` }
}
