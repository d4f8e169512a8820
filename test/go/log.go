// A whole log, or some of it: every entry that is asked for hashes to the leaf that the signed tree has at its position.

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// logOptions says what is verified of a log.
type logOptions struct {
	out      io.Writer
	trust    trust
	old      string
	save     string
	lines    string
	from, to int64
	print    bool
}

func verifyLog(source source, options logOptions) error {
	signed, err := source("checkpoint")
	if err != nil {
		return err
	}
	head, err := openCheckpoint(signed, options.trust)
	if err != nil {
		return err
	}
	say := func(what, format string, args ...interface{}) {
		fmt.Fprintf(options.out, "ok       %-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	say("checkpoint", "%v", head)
	if err := options.trust.tellWitnesses(options.out, head); err != nil {
		return err
	}

	tiles := newTiles(source, head.N)
	if options.old != "" {
		old, err := checkConsistency(options, head, tiles)
		if err != nil {
			return err
		}
		say("consistency", "the log of %d entries is the beginning of the one of %d", old.N, head.N)
	}
	to := options.to
	if to < 0 {
		to = head.N
	}
	if options.from < 0 || options.from > to || to > head.N {
		return fmt.Errorf("no entries %d to %d in a log of %d", options.from, to, head.N)
	}
	var given entries = bundles{source, head.N, to}
	if options.lines != "" {
		file, err := os.Open(options.lines)
		if err != nil {
			return err
		}
		defer file.Close()
		given = lines{options.lines, bufio.NewReaderSize(file, 1<<16), to}
	}
	if options.from == 0 && to == head.N && options.lines == "" && !options.print {
		if err := checkWhole(given, tiles, head.Tree); err != nil {
			return err
		}
		say("entries", "all %d, and the tree over them has the signed root", head.N)
		say("tiles", "each hash in each tile is the one that follows from the entries")
	} else {
		proved := func(entry []byte) {
			if options.print {
				fmt.Fprintf(options.out, "%s\n", entry)
			}
		}
		count, err := checkSome(given, tiles, head.Tree, options.from, to, proved)
		if err != nil {
			return err
		}
		say("entries", "%d, positions %d to before %d, each proved to be in the tree", count, options.from, options.from+count)
	}
	checked, err := checkInclusion(tiles, head.Tree)
	if err != nil {
		return err
	}
	say("inclusion", "%d proofs from all over the log hold; %d tiles were read in all", checked, tiles.read)
	if options.save != "" {
		return os.WriteFile(options.save, signed, 0o600)
	}
	return nil
}

// checkConsistency proves that the log goes on from an older checkpoint, with a proof made from the new tiles.
func checkConsistency(options logOptions, head checkpoint, tiles *tiles) (checkpoint, error) {
	signed, err := os.ReadFile(options.old)
	if err != nil {
		return checkpoint{}, err
	}
	old, err := openCheckpoint(signed, options.trust)
	if err != nil {
		return checkpoint{}, fmt.Errorf("%s: %w", options.old, err)
	}
	if old.origin != head.origin {
		return checkpoint{}, refuse("consistency: %s is of another log, %s", options.old, old.origin)
	}
	if old.N > head.N {
		return checkpoint{}, refuse("consistency: the log had %d entries, and now it has %d", old.N, head.N)
	}
	if old.N == head.N || old.N == 0 {
		if old.N == head.N && old.Hash != head.Hash {
			return checkpoint{}, refuse("consistency: two roots for %d entries", old.N)
		}
		return old, nil
	}
	proof, err := tlog.ProveTree(head.N, old.N, tiles)
	if err != nil {
		return checkpoint{}, err
	}
	if err := tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash); err != nil {
		return checkpoint{}, refuse("consistency: not the beginning of this log: %v", err)
	}
	return old, nil
}

// entries gives entries in runs of at most a tile's: none once there are no more.
type entries interface {
	next(at int64) ([][]byte, error)
	// end is told that all that were asked for are there.
	end() error
}

// bundles are the log's own entries.
type bundles struct {
	source   source
	size, to int64
}

func (b bundles) next(at int64) ([][]byte, error) {
	start := at - at%fullTile
	run, err := b.source.bundle(start/fullTile, int(min(b.size-start, fullTile)))
	if err != nil {
		return nil, err
	}
	return run[at-start : min(b.to-start, fullTile)], nil
}

func (b bundles) end() error { return nil }

// lines are those of a file.
type lines struct {
	name   string
	reader *bufio.Reader
	to     int64
}

func (l lines) next(at int64) ([][]byte, error) {
	var run [][]byte
	for width := min(l.to-at, fullTile-at%fullTile); int64(len(run)) < width; {
		line, err := l.reader.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil {
			return nil, refuse("entries: the last line of %s has no end", l.name)
		}
		run = append(run, line[:len(line)-1])
	}
	return run, nil
}

func (l lines) end() error {
	if _, err := l.reader.ReadByte(); err != io.EOF {
		return refuse("entries: %s has more lines than there are entries before %d", l.name, l.to)
	}
	return nil
}

// checkWhole makes the tree anew out of the entries. Its root must be the signed one, and its hashes those of the tiles.
func checkWhole(entries entries, tiles *tiles, tree tlog.Tree) error {
	edge := edge{}
	for at := int64(0); at < tree.N; {
		run, err := entries.next(at)
		if err != nil {
			return err
		}
		for k, entry := range run {
			if err := edge.add(at+int64(k), entry, tiles); err != nil {
				return err
			}
		}
		at += int64(len(run))
	}
	root, err := tlog.TreeHash(tree.N, edge)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return refuse("entries: the tree over them has the root %v, not the one that was signed", root)
	}
	return nil
}

// edge is the right edge of a growing tree: of each height the latest hash, which is all that growing takes.
type edge map[int]tlog.Hash

func (e edge) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for k, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		hashes[k] = e[level]
	}
	return hashes, nil
}

// add adds the entry at a position, and compares what a tile holds of the hashes that this makes.
func (e edge) add(at int64, entry []byte, tiles *tiles) error {
	made, err := tlog.StoredHashes(at, entry, e)
	if err != nil {
		return err
	}
	for level, hash := range made {
		e[level] = hash
		if level%height != 0 {
			continue
		}
		stored, err := tiles.ReadHashes([]int64{tlog.StoredHashIndex(level, at>>level)})
		if err != nil {
			return err
		}
		if stored[0] != hash {
			return refuse("entries: the entry at %d and the tile at level %d do not fit together", at, level/height)
		}
	}
	return nil
}

// checkSome proves of each entry by itself that it is in the tree, and hands it on. It returns how many there were.
func checkSome(entries entries, tiles *tiles, tree tlog.Tree, from, to int64, proved func([]byte)) (int64, error) {
	at := from
	for at < to {
		run, err := entries.next(at)
		if err != nil {
			return 0, err
		}
		if len(run) == 0 {
			break
		}
		for _, entry := range run {
			if err := checkOne(tiles, tree, at, tlog.RecordHash(entry)); err != nil {
				return 0, err
			}
			proved(entry)
			at++
		}
	}
	return at - from, entries.end()
}

func checkOne(tiles *tiles, tree tlog.Tree, at int64, leaf tlog.Hash) error {
	proof, err := tlog.ProveRecord(tree.N, at, tiles)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, at, leaf); err != nil {
		return refuse("entries: the entry at %d is not proved by the tiles and the signed root", at)
	}
	return nil
}

// checkInclusion checks inclusion proofs of leaves from all over the log, both ends among them.
func checkInclusion(tiles *tiles, tree tlog.Tree) (int, error) {
	checked, step := 0, tree.N/64+1
	for at := int64(0); at < tree.N; at += step {
		if at+step >= tree.N {
			at = tree.N - 1
		}
		leaf, err := tiles.ReadHashes([]int64{tlog.StoredHashIndex(0, at)})
		if err != nil {
			return 0, err
		}
		if err := checkOne(tiles, tree, at, leaf[0]); err != nil {
			return 0, err
		}
		checked++
	}
	return checked, nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
