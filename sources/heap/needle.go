package heap

// Needle returns bytes that stand in every version of which Match says Same, or nil when none are known: the longest value of a key column
// of fixed length and one form. A value of another type may be compressed. A version that lacks the column, because it was
// added later, does not hold them.
func (m *Matcher) Needle() []byte {
	var out []byte
	for i := range m.parts {
		p := &m.parts[i]
		if c := &m.cols[p.index]; c.Len > 0 && int(c.Len) == len(p.raw) && c.Missing == nil && len(p.also) == 0 && len(p.raw) > len(out) {
			out = p.raw
		}
	}
	return out
}
