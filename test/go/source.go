// Where a log is read from: over HTTP, or from a directory in the layout of C2SP tlog-tiles.

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height   = 8 // of a tile: 256 hashes
	fullTile = 1 << height
	// The most that is read as one answer: a full bundle of the longest entries.
	mostBytes = fullTile * (2 + 1<<16)
)

var errNotThere = errors.New("not there")

// source reads one of a log's resources, by its path below the log's own.
type source func(path string) ([]byte, error)

// login is what an HTTP source shows.
type login struct{ user, passwordFile, tokenFile, caFile string }

func openSource(name string, login login) (source, error) {
	if !strings.HasPrefix(name, "http://") && !strings.HasPrefix(name, "https://") {
		return directory(name), nil
	}
	return login.open(strings.TrimSuffix(name, "/"))
}

func directory(name string) source {
	return func(path string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(name, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", path, errNotThere)
		}
		return data, err
	}
}

func (l login) open(url string) (source, error) {
	authorize, err := l.authorization()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4}
	if l.caFile != "" {
		pem, err := os.ReadFile(l.caFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate", l.caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	return func(path string) ([]byte, error) {
		request, err := http.NewRequest("GET", url+"/"+path, nil)
		if err != nil {
			return nil, err
		}
		authorize(request)
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return nil, fmt.Errorf("%s: %w", path, errNotThere)
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, response.Status)
		}
		return io.ReadAll(io.LimitReader(response.Body, mostBytes))
	}, nil
}

func (l login) authorization() (func(*http.Request), error) {
	if l.tokenFile != "" {
		token, err := os.ReadFile(l.tokenFile)
		if err != nil {
			return nil, err
		}
		bearer := "Bearer " + strings.TrimSpace(string(token))
		return func(r *http.Request) { r.Header.Set("Authorization", bearer) }, nil
	}
	if l.user == "" {
		return func(*http.Request) {}, nil
	}
	password, err := os.ReadFile(l.passwordFile)
	if err != nil {
		return nil, fmt.Errorf("-user needs -password-file: %w", err)
	}
	return func(r *http.Request) { r.SetBasicAuth(l.user, strings.TrimRight(string(password), "\r\n")) }, nil
}

// partial reads a tile or bundle of which `width` are wanted. A partial one may be gone once the full one is there.
func (s source) partial(kind string, n int64, width int) ([]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: n, W: width}
	// x/mod has the height of a tile in its path, C2SP has none: tile/8/0/000 is tile/0/000.
	place := func(t tlog.Tile) string {
		return "tile/" + kind + "/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/0/", height))
	}
	data, err := s(place(tile))
	if errors.Is(err, errNotThere) && width < fullTile {
		tile.W = fullTile
		if full, err := s(place(tile)); !errors.Is(err, errNotThere) {
			return full, err
		}
	}
	return data, err
}

// bundle reads the first `width` entries of an entry bundle.
func (s source) bundle(n int64, width int) ([][]byte, error) {
	data, err := s.partial("entries", n, width)
	if err != nil {
		return nil, err
	}
	entries := make([][]byte, 0, width)
	for len(data) > 0 && len(entries) < width {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, refuse("entries: bundle %d ends within an entry", n)
		}
		length := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(entries) < width {
		return nil, refuse("entries: bundle %d has %d entries of %d", n, len(entries), width)
	}
	return entries, nil
}

// tiles are read as they come and believed in nothing: whoever uses their hashes checks what follows from them against
// the signed root. (x/mod's own TileHashReader is to check tiles as it reads them; before v0.40.0 it passes some over,
// CVE-2026-56865. This program does without it, so that its verdicts do not depend on x/mod's version.)
type tiles struct {
	source source
	size   int64 // of the tree
	kept   map[tlog.Tile][]byte
	leaves tlog.Tile // the one full tile of leaves that is kept
	read   int
}

func newTiles(source source, size int64) *tiles {
	return &tiles{source: source, size: size, kept: map[tlog.Tile][]byte{}}
}

// ReadHashes gives hashes by their storage index, as x/mod asks for them.
func (t *tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for k, index := range indexes {
		tile := tlog.TileForIndex(height, index)
		// As wide as it is in the tree: others need not be there.
		tile.W = int(min(fullTile, t.size>>(height*tile.L)-tile.N*fullTile))
		data, err := t.tile(tile)
		if err != nil {
			return nil, err
		}
		if hashes[k], err = tlog.HashFromTile(tile, data, index); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

func (t *tiles) tile(tile tlog.Tile) ([]byte, error) {
	if data := t.kept[tile]; data != nil {
		return data, nil
	}
	data, err := t.source.partial(fmt.Sprint(tile.L), tile.N, tile.W)
	if err != nil {
		return nil, err
	}
	if len(data) < tile.W*tlog.HashSize {
		return nil, refuse("tiles: %s has only %d bytes", tile.Path(), len(data))
	}
	t.read++
	if tile.L == 0 && tile.W == fullTile {
		delete(t.kept, t.leaves)
		t.leaves = tile
	}
	t.kept[tile] = data
	return data, nil
}
