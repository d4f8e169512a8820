// A face of a node that is a witness. All of it is open: what is asked is signed, what is answered is public, and an auditor
// may ask an engine past its portal.

import type { Witness } from '../federation/witness/witness.ts'
import type { Node } from './node.ts'

/** A node whose face is a witness's too (C2SP tlog-witness). */
export interface WitnessingNode extends Node {
  readonly witness: Pick<Witness, 'addCheckpoint' | 'latest' | 'keys'>
}
