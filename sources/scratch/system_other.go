//go:build !unix

package scratch

func gone(int) bool { return false }
