/** The value of JSON. Invalid JSON stays text, which the schema of the field then refuses by the field's name. */
export function jsonOrText (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
