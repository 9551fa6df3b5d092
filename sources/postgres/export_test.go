package postgres

// SkimAlways makes the source search on the server even where reading is faster.
func (w *WALSource) SkimAlways() { w.skimAlways = true }

// Fetched is the number of bytes of WAL that were spent: read, or searched by the server.
func (s *Server) Fetched() int64 { return s.walBytes.Load() }

// Travelled is the number of bytes of WAL that were read.
func (w *WALSource) Travelled() int64 { return w.travelled }
