// Verifies logs and proofs with nothing but what others wrote: golang.org/x/mod/sumdb/note for the signatures,
// golang.org/x/mod/sumdb/tlog for the tree. It shares no line with Annals; what it reads are the formats of C2SP
// (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof), so it verifies any log that keeps to them.
//
// One line for each verdict. Exit codes: 0 all is proved, 1 something is not, 2 wrong usage, 3 something could not be
// read.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const usage = `Verifies tamper-evident logs (C2SP tlog-tiles) and proofs (C2SP tlog-proof).

  verify-log log   -key VKEY [flags] SOURCE    a whole log, or some of it
  verify-log proof -key VKEY [flags] FILE      a .tlog-proof file

SOURCE is the URL of a log, or a directory that holds the same files: checkpoint, tile/0/000, tile/entries/000, ….
VKEY is the log's public key, <name>+<id>+<base64>, or @FILE that holds one or more of them, one a line; what is not
Ed25519 in such a file is passed over. Get it from somebody you trust, and not from the log that you verify.

Flags of log:
`

// keys collects -key.
type keys []string

func (k *keys) String() string     { return strings.Join(*k, " ") }
func (k *keys) Set(v string) error { *k = append(*k, v); return nil }

// refused is an error that is a verdict: what was read does not prove what it should.
type refused struct{ error }

func refuse(format string, args ...interface{}) error { return refused{fmt.Errorf(format, args...)} }

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var known, witnesses keys
	log, proof := flag.NewFlagSet("log", flag.ContinueOnError), flag.NewFlagSet("proof", flag.ContinueOnError)
	options := logOptions{out: os.Stdout}
	login := login{}
	log.Var(&known, "key", "the log's `VKEY`, or @FILE; may be repeated")
	log.Var(&witnesses, "witness", "a witness's `VKEY` (Ed25519, type 0x04): it must have cosigned; may be repeated")
	log.StringVar(&options.old, "old", "", "a signed checkpoint from before, in a `FILE`: the log must go on from it")
	log.StringVar(&options.save, "save", "", "keep the signed checkpoint in a `FILE`, for -old the next time")
	log.Int64Var(&options.from, "from", 0, "verify the entries from this `position` on")
	log.Int64Var(&options.to, "to", -1, "and before this `position` (default: the size that the checkpoint says)")
	log.StringVar(&options.lines, "lines", "", "compare the lines of a `FILE` with the entries from -from on, instead of\nreading entries from the log")
	log.BoolVar(&options.print, "print", false, "print the entries, each once it is proved")
	log.StringVar(&login.user, "user", "", "HTTP Basic: the `name` of an account that may read the log")
	log.StringVar(&login.passwordFile, "password-file", "", "its password, in a `FILE`")
	log.StringVar(&login.tokenFile, "token-file", "", "an OAuth access token instead, in a `FILE`")
	log.StringVar(&login.caFile, "ca", "", "trust the certificates in this PEM `FILE`, and no others")
	proof.Var(&known, "key", "the log's `VKEY`, or @FILE; may be repeated")
	proof.Var(&witnesses, "witness", "a witness's `VKEY`: it must have cosigned; may be repeated")
	entry := proof.String("entry", "", "the entry that the proof is of, in a `FILE` with one line (default: the proof's own extra)")
	for _, set := range []*flag.FlagSet{log, proof} {
		set.SetOutput(io.Discard)
	}

	sets := map[string]*flag.FlagSet{"log": log, "proof": proof}
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		return explain(log, proof)
	}
	set := sets[args[0]]
	if set == nil {
		return misused(errors.New("the first word is log or proof"))
	}
	if err := set.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return explain(log, proof)
	} else if err != nil {
		return misused(err)
	}
	if set.NArg() != 1 || len(known) == 0 {
		return misused(fmt.Errorf("%s needs a -key, and one argument behind the flags", args[0]))
	}
	trust, err := readTrust(known, witnesses)
	if err != nil {
		return misused(err)
	}
	if args[0] == "proof" {
		return end(verifyProof(os.Stdout, set.Arg(0), *entry, trust))
	}
	options.trust = trust
	source, err := openSource(set.Arg(0), login)
	if err != nil {
		return misused(err)
	}
	return end(verifyLog(source, options))
}

func end(err error) int {
	var verdict refused
	switch {
	case err == nil:
		return 0
	case errors.As(err, &verdict):
		fmt.Printf("REFUSED  %v\n", err)
		return 1
	default:
		fmt.Fprintf(os.Stderr, "verify-log: %v\n", err)
		return 3
	}
}

func misused(err error) int {
	fmt.Fprintf(os.Stderr, "verify-log: %v (-h explains all)\n", err)
	return 2
}

func explain(log, proof *flag.FlagSet) int {
	fmt.Fprint(os.Stderr, usage)
	log.SetOutput(os.Stderr)
	log.PrintDefaults()
	fmt.Fprint(os.Stderr, "\nFlags of proof:\n")
	proof.SetOutput(os.Stderr)
	proof.PrintDefaults()
	return 2
}

// What x/mod says of a key whose type it does not know, such as ML-DSA.
const otherType = "unknown verifier algorithm"

// readTrust makes verifiers of keys of logs, and of those of witnesses.
func readTrust(known, witnesses []string) (trust, error) {
	list, err := readKeys(known)
	if err != nil {
		return trust{}, err
	}
	all := trust{}
	for _, vkey := range witnesses {
		witness, err := parseWitness(vkey)
		if err != nil {
			return trust{}, err
		}
		all.witnesses = append(all.witnesses, witness)
		list = append(list, witness)
	}
	all.known = note.VerifierList(list...)
	return all, nil
}

// readKeys makes verifiers of keys of logs. In a file, keys of types that x/mod does not know are passed over.
func readKeys(given []string) ([]note.Verifier, error) {
	var list []note.Verifier
	seen := map[string]bool{}
	for _, key := range given {
		words := []string{key}
		if strings.HasPrefix(key, "@") {
			text, err := os.ReadFile(key[1:])
			if err != nil {
				return nil, err
			}
			words = keysIn(string(text))
		}
		for _, word := range words {
			verifier, err := note.NewVerifier(word)
			if seen[word] || err != nil && err.Error() == otherType && len(words) > 1 {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("-key %q: %v", word, err)
			}
			seen[word] = true
			list = append(list, verifier)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("-key: no Ed25519 key is there")
	}
	return list, nil
}

// keysIn finds the keys in a file. What a log publishes of its keys begins with two lines that are none, and goes on behind
// an empty line with what is not for this program.
func keysIn(text string) []string {
	var keys []string
	head, _, _ := strings.Cut(text, "\n\n")
	for _, word := range strings.Fields(head) {
		if strings.Contains(word, "+") {
			keys = append(keys, word)
		}
	}
	return keys
}
