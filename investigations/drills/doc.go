// Package drills makes practice incidents happen for real: on a throwaway
// PostgreSQL server, with concurrent sessions, transactions and logs, so that
// an investigation has something true to find.
//
// A drill is one file and one line in the list. It is written from what can
// happen in the world, apart from the rules that have to find it, and it
// carries the truth that an answer is graded against. The package starts no
// server itself: a Host hands servers in.
package drills
