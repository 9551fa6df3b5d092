package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
)

// Extension is the file name extension of a case file.
const Extension = ".inquest"

// DefaultDir returns the folder in which cases are kept when no other is named:
// inquest in the user's data folder. It need not exist.
func DefaultDir() string { return filepath.Join(xdg.DataHome, "inquest") }

// NewPath returns a file name in dir for a new case: the time in UTC and what
// can be kept of the record's id, which may be anything at all. A name that is
// taken gets a number; Create still refuses to overwrite.
func NewPath(dir, id string, at time.Time) string {
	base := filepath.Join(dir, at.UTC().Format("20060102-150405")+"-"+slug(id))
	path := base + Extension
	for n := 2; n < 1000; n++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			break
		}
		path = fmt.Sprintf("%s-%d%s", base, n, Extension)
	}
	return path
}

// slug keeps ASCII letters, digits, hyphens and underscores. An id that loses
// something by that gets a few digits of its hash, so that two ids do not share
// a name.
func slug(id string) string {
	const longest = 64
	var b strings.Builder
	for _, c := range id {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteRune(c)
		default:
			b.WriteByte('-')
		}
		if b.Len() > longest {
			break
		}
	}
	s := b.String()
	if s == id && s != "" && len(s) <= longest {
		return s
	}
	sum := sha256.Sum256([]byte(id))
	s = strings.Trim(s[:min(len(s), longest-9)], "-")
	return strings.TrimPrefix(s+"-"+hex.EncodeToString(sum[:4]), "-")
}
