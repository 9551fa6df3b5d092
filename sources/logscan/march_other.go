//go:build !amd64

package logscan

// marches is false: each line is taken by itself.
const marches = false

func marchLines(*heads, *cover, *byte, int, *uint16, int) int { return 0 }
