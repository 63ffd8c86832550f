/**
 * Milliseconds of processor time that this process spends during `work`. Unlike the time that passes, it hardly depends
 * on what else the machine does.
 */
export async function processorMs (work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
