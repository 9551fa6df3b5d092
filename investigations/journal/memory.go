package journal

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"inquest/investigations"
)

var _ investigations.Journal = (*Memory)(nil)

// Memory is a journal that is kept in memory only, for recordings and tests. It
// chains its entries as a case file does. The zero Memory is empty and ready.
type Memory struct {
	mu      sync.Mutex
	entries []investigations.Entry
	closed  bool
}

// Load reads a case, such as the recording that ships in the binary, into
// memory. Appending to it changes nothing on disk.
func Load(r io.Reader) (*Memory, Note, error) {
	entries, note, err := Read(r)
	if err != nil {
		return nil, note, fmt.Errorf("load case: %w", err)
	}
	return &Memory{entries: entries}, note, nil
}

// Append chains the entry to the others.
func (m *Memory) Append(e investigations.Entry) (investigations.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return e, ErrClosed
	}
	var last tip
	if n := len(m.entries); n > 0 {
		last = tipOf(m.entries[n-1])
	}
	kept, _, err := encode(e, last)
	if err != nil {
		return e, err
	}
	m.entries = append(m.entries, kept)
	return kept, nil
}

// Entries returns what was appended so far.
func (m *Memory) Entries() []investigations.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.entries)
}

// WriteTo writes the case file that holds the entries, byte for byte as a File
// would.
func (m *Memory) WriteTo(w io.Writer) (int64, error) {
	var total int64
	var last tip
	for _, e := range m.Entries() {
		kept, line, err := encode(e, last)
		if err != nil {
			return total, err
		}
		n, err := w.Write(line)
		total += int64(n)
		if err != nil {
			return total, fmt.Errorf("write case: %w", err)
		}
		last = tipOf(kept)
	}
	return total, nil
}

// Close ends appending; the entries can still be read.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
