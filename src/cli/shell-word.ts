// Words for a POSIX shell.

/** A word as it is to be typed: quoted where a shell would see more in it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
