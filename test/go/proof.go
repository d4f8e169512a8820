// A proof that an entry is in a log (C2SP tlog-proof), in one file.

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// proofFile is what such a file says.
type proofFile struct {
	extra      []byte
	index      int64
	hashes     tlog.RecordProof
	checkpoint []byte
}

func verifyProof(out io.Writer, name, entryFile string, trust trust) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	proof, err := parseProof(text)
	if err != nil {
		return err
	}
	entry := proof.extra
	if entryFile != "" {
		if entry, err = os.ReadFile(entryFile); err != nil {
			return err
		}
		entry = bytes.TrimSuffix(entry, []byte("\n"))
	} else if entry == nil {
		return fmt.Errorf("%s holds no entry: give it with -entry", name)
	}
	head, err := openCheckpoint(proof.checkpoint, trust)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ok       %-12s %v\n", "checkpoint", head)
	if err := trust.tellWitnesses(out, head); err != nil {
		return err
	}
	if proof.index >= head.N {
		return refuse("proof: no entry %d among %d", proof.index, head.N)
	}
	if err := tlog.CheckRecord(proof.hashes, head.N, head.Hash, proof.index, tlog.RecordHash(entry)); err != nil {
		return refuse("proof: this entry is not at %d: %v", proof.index, err)
	}
	fmt.Fprintf(out, "ok       %-12s the entry at %d is:\n%s\n", "proof", proof.index, entry)
	return nil
}

func parseProof(text []byte) (proofFile, error) {
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return proofFile{}, refuse("proof: not a c2sp.org/tlog-proof@v1")
	}
	proof := proofFile{checkpoint: []byte(checkpoint)}
	lines = lines[1:]
	var err error
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if proof.extra, err = base64.StdEncoding.DecodeString(lines[0][len("extra "):]); err != nil {
			return proofFile{}, refuse("proof: extra: %v", err)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return proofFile{}, refuse("proof: no index")
	}
	proof.index, err = strconv.ParseInt(lines[0][len("index "):], 10, 64)
	if err != nil || proof.index < 0 {
		return proofFile{}, refuse("proof: %q is no index", lines[0])
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return proofFile{}, refuse("proof: %q is no hash", line)
		}
		proof.hashes = append(proof.hashes, hash)
	}
	return proof, nil
}
