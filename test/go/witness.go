// Witnesses (C2SP tlog-cosignature, Ed25519): x/mod knows nothing of them, but takes anything that verifies.

package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const cosignatureType = 0x04

// witness verifies cosignatures.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// parseWitness reads a VKEY of type 0x04.
func parseWitness(vkey string) (*witness, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("-witness %q: not NAME+ID+KEY", vkey)
	}
	hash, err1 := strconv.ParseUint(parts[1], 16, 32)
	key, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureType {
		return nil, fmt.Errorf("-witness %q: not an Ed25519 key of a witness (type 0x04)", vkey)
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if binary.BigEndian.Uint32(id[:]) != uint32(hash) {
		return nil, fmt.Errorf("-witness %q: the id is not the key's", vkey)
	}
	return &witness{parts[0], uint32(hash), key[1:]}, nil
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

// Verify says whether the witness signed this text, at the time that stands before the signature.
func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

// cosigned says when a witness signed a note that was opened with it; false where it has not.
func (w *witness) cosigned(opened *note.Note) (time.Time, bool) {
	for _, signature := range opened.Sigs {
		if signature.Name != w.name || signature.Hash != w.hash {
			continue
		}
		bytes, err := base64.StdEncoding.DecodeString(signature.Base64)
		if err != nil {
			return time.Time{}, false
		}
		return time.Unix(int64(binary.BigEndian.Uint64(bytes[4:])), 0).UTC(), true
	}
	return time.Time{}, false
}
