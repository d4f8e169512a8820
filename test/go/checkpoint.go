// Signed checkpoints (C2SP tlog-checkpoint): a note whose text is origin, size and root.

package main

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// checkpoint is what a log has signed.
type checkpoint struct {
	tlog.Tree
	origin  string
	signed  int // signatures that were verified
	unknown int // signatures of keys, or of types, that are not known here
}

// openCheckpoint verifies a signed checkpoint. Without a good signature of a known key there is none.
func openCheckpoint(text []byte, keys note.Verifiers) (checkpoint, error) {
	opened, err := note.Open(text, keys)
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
	return checkpoint{tlog.Tree{N: size, Hash: root}, lines[0], signed, len(opened.UnverifiedSigs)}, nil
}

func (c checkpoint) String() string {
	return fmt.Sprintf("%s, %d entries, root %v; %d signature(s) verified, %d of unknown keys or types not looked at",
		c.origin, c.N, c.Hash, c.signed, c.unknown)
}
