// Package command is the driver for logs that a program prints: any command a
// person typed (New), and the ones with manners of their own: a remote host through the user's
// ssh (SSH), kubectl (Kubectl) and docker (Docker). Each runs once for a window; what it
// printed is kept in a private file until the source is closed, and searched like a log file. What the
// program does beside printing is the responsibility of whoever typed it.
package command
