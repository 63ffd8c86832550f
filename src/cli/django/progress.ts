/** Shows on a terminal how far an import is, in one line that is written again and again. */
export function createProgress (total: number) {
  const { stderr } = process
  const clear = () => { if (stderr.isTTY) stderr.write('\r\u001b[K') }
  return {
    clear,
    show (count: number): void {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${count} of ${total} users`)
    }
  }
}
