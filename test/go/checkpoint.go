// Signed checkpoints (C2SP tlog-checkpoint): a note whose text is origin, size and root.

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// checkpoint is what a log has signed.
type checkpoint struct {
	tlog.Tree
	origin  string
	signed  int // signatures that were verified
	unknown int // signatures of keys, or of types, that are not known here
	opened  *note.Note
}

// trust is whom somebody knows: keys of logs, and witnesses, each of whom must have cosigned.
type trust struct {
	known     note.Verifiers
	witnesses []*witness
}

// openCheckpoint verifies a signed checkpoint. Without a good signature of a known key there is none.
func openCheckpoint(text []byte, trust trust) (checkpoint, error) {
	opened, err := note.Open(text, trust.known)
	if err != nil {
		return checkpoint{}, refuse("checkpoint: %v", err)
	}
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) != 4 {
		return checkpoint{}, refuse("checkpoint: %d lines", len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, refuse("checkpoint: %q is no size", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return checkpoint{}, refuse("checkpoint: %q is no root", lines[2])
	}
	// A key's name is its log's: the key of another log must not vouch for this one.
	signed := 0
	for _, signature := range opened.Sigs {
		if signature.Name == lines[0] {
			signed++
		}
	}
	if signed == 0 {
		return checkpoint{}, refuse("checkpoint: of %s, signed by %s", lines[0], opened.Sigs[0].Name)
	}
	return checkpoint{tlog.Tree{N: size, Hash: root}, lines[0], signed, len(opened.UnverifiedSigs), opened}, nil
}

// tellWitnesses says when each witness cosigned a checkpoint, and refuses it where one has not.
func (t trust) tellWitnesses(out io.Writer, head checkpoint) error {
	for _, witness := range t.witnesses {
		at, cosigned := witness.cosigned(head.opened)
		if !cosigned {
			return refuse("witness: %s has not cosigned this checkpoint", witness.name)
		}
		fmt.Fprintf(out, "ok       %-12s %s cosigned it at %s\n", "witness", witness.name, at.Format(time.RFC3339))
	}
	return nil
}

func (c checkpoint) String() string {
	return fmt.Sprintf("%s, %d entries, root %v; %d signature(s) of the log verified, %d of unknown keys or types not looked at",
		c.origin, c.N, c.Hash, c.signed, c.unknown)
}
