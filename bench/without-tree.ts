// Replaces the hashes of the tree and the signatures of checkpoints by constants, in a process that imports this first.

import { registerHooks } from 'node:module'

const constant = `
const zero = '\\0'.repeat(32)
export const hashBytes = 32
export const emptyRoot = zero
export const leafHash = () => zero
export const leafHashOfBytes = () => zero
export const nodeHash = () => zero
export const foldRight = () => zero
export const readHash = () => zero
export const bytesOfHash = () => Buffer.alloc(32)
export const bytesOfHashes = (hashes) => Buffer.alloc(32 * hashes.length)
`

registerHooks({
  load(url, context, next) {
    if (url.endsWith('/src/tree/hash.ts')) return { format: 'module', source: constant, shortCircuit: true }
    const loaded = next(url, context)
    if (!url.endsWith('/src/tree/note-key.ts')) return loaded
    const source = Buffer.from(loaded.source as Uint8Array).toString()
    const signing = 'sign(null, message, signer.privateKey)'
    if (!source.includes(signing)) throw new Error(`${url} signs otherwise than this replaces`)
    return {
      ...loaded,
      source: source.replace(signing, 'Buffer.alloc(signer.type === 1 ? 64 : 2420, message.length)'),
    }
  },
})
