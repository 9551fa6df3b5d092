package postgres

import "strings"

// isOutside reports that a log folder is not below the data folder; a relative
// one is always inside.
func isOutside(dir, data string) bool {
	return strings.HasPrefix(dir, "/") && (data == "" || !strings.HasPrefix(dir, strings.TrimSuffix(data, "/")+"/"))
}
