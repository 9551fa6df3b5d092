//go:build !(linux || (darwin && !ios))

package pgserver

// removeSharedMemory does nothing: the segment that a killed postmaster leaves stays until the machine restarts.
func removeSharedMemory(int, int) {}
