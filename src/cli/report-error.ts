// What a person sees when a command fails: one clear line, and more only when asked for.

import { AnnalsError } from '../errors.ts'
import { NotProved } from '../verify/not-proved.ts'
import { exitCodeOf, exitCodeOfReason } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

/** Says what went wrong, on standard error, and returns the exit code. */
export function reportError({ errors }: Surroundings, error: unknown, isVerbose: boolean): number {
  const lines = [`annals: ${messageOf(error)}`]
  if (isVerbose) lines.push(...details(error))
  else if (!isRefusal(error)) lines.push('annals: --verbose says more')
  errors.write(`${lines.join('\n')}\n`)
  return exitCodeOfError(error)
}

function exitCodeOfError(error: unknown): number {
  if (error instanceof AnnalsError) return exitCodeOf[error.code]
  if (error instanceof NotProved) return exitCodeOfReason[error.reason]
  return systemExitCode(error) ?? 1
}

// What a command says by itself, and needs no further word.
function isRefusal(error: unknown): boolean {
  return error instanceof AnnalsError || error instanceof NotProved
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function details(error: unknown): string[] {
  const lines: string[] = []
  if (error instanceof AnnalsError) lines.push(`  code: ${error.code}`)
  if (error instanceof AnnalsError && error.detail !== undefined) lines.push(`  detail: ${error.detail}`)
  if (!(error instanceof Error)) return lines
  lines.push(...(error.stack ?? '').split('\n').slice(1))
  if (error.cause !== undefined)
    lines.push(`  because of: ${messageOf(error.cause)}`, ...details(error.cause))
  return lines
}

// What the system refuses without our having asked for it by name: permissions, space.
function systemExitCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO' || code === 'EROFS' ? 6 : undefined
}
