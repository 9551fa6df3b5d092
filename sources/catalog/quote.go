package catalog

import "strings"

// QuoteIdent quotes a name as an SQL identifier.
func QuoteIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
