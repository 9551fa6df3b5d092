package postgres

import (
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/wal"
)

// number reads an integer cell; NULL and missing are 0.
func number(t *sources.Table, row int, column string) int64 {
	n, _ := strconv.ParseInt(t.Text(row, column), 10, 64)
	return n
}

func truth(t *sources.Table, row int, column string) bool { return t.Text(row, column) == "t" }

// parseTime reads a timestamptz as the guard's settings print it; anything else
// is the zero time.
func parseTime(s string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999-07:00", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// textArray prints texts as an array literal.
func textArray(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// numberArray prints numbers as an array literal.
func numberArray[T uint16 | uint32 | int64](items []T) string {
	out := make([]string, len(items))
	for i, n := range items {
		out[i] = strconv.FormatInt(int64(n), 10)
	}
	return "{" + strings.Join(out, ",") + "}"
}

// parseLSN reads "16/B374D848"; anything else is 0.
func parseLSN(s string) wal.LSN {
	l, err := wal.ParseLSN(s)
	if err != nil {
		return 0
	}
	return l
}
