// Package gitrepo is the source for the application's git repository. It runs
// the user's own git with commands that only read, and with everything switched
// off by which a repository could make git run a program or reach a network.
package gitrepo
