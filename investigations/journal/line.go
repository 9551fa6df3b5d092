package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"inquest/investigations"
)

// maxLine bounds one line, so that a file that is no case cannot fill memory.
const maxLine = 256 << 20

const (
	hashKey   = `,"hash":"`
	hashEnd   = `"}`
	hashBytes = len(hashKey) + 2*sha256.Size + len(hashEnd)
)

// encode numbers and chains an entry and returns it as it will be read back,
// with its line including the line feed.
func encode(e investigations.Entry, last tip) (investigations.Entry, []byte, error) {
	e.Seq, e.Prev, e.Hash = last.seq+1, last.hash, ""
	e.Time = e.Time.UTC().Round(0)
	raw, err := json.Marshal(e)
	if err != nil {
		return e, nil, fmt.Errorf("encode entry %d (%s): %w", e.Seq, e.Kind, err)
	}
	if len(raw)+hashBytes > maxLine {
		return e, nil, fmt.Errorf("entry %d (%s) is %d MiB, more than the %d MiB that a case file takes in one entry", e.Seq, e.Kind, len(raw)>>20, maxLine>>20)
	}
	head := raw[:len(raw)-len(hashKey)-len(hashEnd)]
	e.Hash = sum(head)
	line := make([]byte, 0, len(head)+hashBytes+1)
	line = append(line, head...)
	line = append(line, hashKey+e.Hash+hashEnd+"\n"...)
	var kept investigations.Entry
	if err := json.Unmarshal(line, &kept); err != nil {
		return e, nil, fmt.Errorf("encode entry %d (%s): %w", e.Seq, e.Kind, err)
	}
	return kept, line, nil
}

// decode reads one line (without its line feed) that must follow last.
func decode(line []byte, last tip) (investigations.Entry, error) {
	e, err := decodeAlone(line)
	switch {
	case err != nil:
		return e, err
	case e.Seq != last.seq+1:
		return e, fmt.Errorf("it is numbered %d where %d must stand: entries were removed, repeated or moved", e.Seq, last.seq+1)
	case e.Prev != last.hash:
		return e, errors.New("it does not follow from the entry before it: one of the two was replaced")
	}
	return e, nil
}

// decodeAlone reads one line and checks it against its own hash only.
func decodeAlone(line []byte) (investigations.Entry, error) {
	var e investigations.Entry
	head, hash, ok := split(line)
	if !ok {
		if bytes.HasSuffix(line, []byte("\r")) {
			return e, errors.New("its line ending was changed to CRLF, as a text transfer does: copy the file in binary")
		}
		return e, errors.New("it is not an entry: it does not end with a hash")
	}
	if sum(head) != string(hash) {
		return e, errors.New("it was changed after it was written: its hash is not that of its bytes")
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("it is not an entry: %w", err)
	}
	if e.Kind == "" {
		return e, errors.New("it is not an entry: it has no kind")
	}
	return e, nil
}

// split parts a line into what is hashed (without the closing brace) and the
// hash.
func split(line []byte) (head, hash []byte, ok bool) {
	at := len(line) - hashBytes
	if at <= 0 || string(line[at:at+len(hashKey)]) != hashKey || string(line[len(line)-len(hashEnd):]) != hashEnd {
		return nil, nil, false
	}
	return line[:at], line[at+len(hashKey) : len(line)-len(hashEnd)], true
}

// sum hashes an object whose closing brace was left out.
func sum(head []byte) string {
	h := sha256.New()
	h.Write(head)
	h.Write([]byte{'}'})
	return hex.EncodeToString(h.Sum(nil))
}

// tip is what the next entry is chained to.
type tip struct {
	seq  int
	hash string
}

func tipOf(e investigations.Entry) tip { return tip{seq: e.Seq, hash: e.Hash} }
