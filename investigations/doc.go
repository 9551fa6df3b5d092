// Package investigations holds what an investigation is made of: the Record
// that is missing, the Case and its journal of entries, the Probes that collect
// Evidence and read Facts from it, the ten Steps, and the Fate and Hypotheses
// that a judgement comes to.
//
// Everything that happens is an Entry appended to a journal; State is a fold
// over the entries and nothing else. Collecting does I/O and has no opinion;
// reading facts and judging are pure functions of stored evidence.
package investigations
