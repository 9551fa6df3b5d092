// Package mechanisms holds the ways in which a record can go missing, one a
// file, and the judge that weighs them against the facts.
//
// Judging is a pure function of facts. The fate is decided first, by the rules
// of fate.go; then every mechanism is weighed as data: what it needs, what
// supports it, what contradicts it, and what would settle it.
package mechanisms
