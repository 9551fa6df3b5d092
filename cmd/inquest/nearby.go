package main

import (
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"inquest/investigations/asked"
)

// checkDSN reports a connection that libpq would not read as it was meant: a bare
// word, or a keyword that is none.
func checkDSN(arg string) error {
	_, dsn := splitName(arg)
	if strings.Contains(dsn, "://") {
		return nil
	}
	if !strings.ContainsAny(dsn, "=:/ ") {
		return usage("--db %s is no connection: write --db service=%s, --db dbname=%s, --db postgres://user@host/%s, or --profile %s", dsn, dsn, dsn, dsn, dsn)
	}
	for _, word := range strings.Fields(dsn) {
		keyword, _, ok := strings.Cut(word, "=")
		if !ok || !plainWord(keyword) || oneOf(keyword, libpqKeywords) {
			continue // also what stands in a quoted value
		}
		// Any other word is handed to the server as a setting; one that is a letter off
		// a keyword was not meant as such.
		for _, near := range asked.Near(keyword, libpqKeywords, 2) {
			if d := len(near) - len(keyword); d*d <= 1 {
				return usage("--db: there is no connection keyword %s: did you mean %s?", keyword, near)
			}
		}
	}
	return nil
}

func plainWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if s == x {
			return true
		}
	}
	return false
}

// nearZones names the zones that a word may have meant, where this machine has a
// list of them.
func nearZones(word string) string {
	var names []string
	for _, dir := range []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"} {
		root := os.DirFS(dir)
		_ = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fs.SkipDir
			case d.IsDir() && (d.Name() == "posix" || d.Name() == "right" || d.Name() == "Etc"):
				return fs.SkipDir
			case !d.IsDir() && strings.Contains(path, "/"):
				names = append(names, path)
			}
			return nil
		})
		if len(names) > 0 {
			break
		}
	}
	last := word[strings.LastIndexByte(word, '/')+1:]
	cities := make([]string, len(names))
	for i, n := range names { // the last part of a zone is what people know
		cities[i] = n[strings.LastIndexByte(n, '/')+1:]
	}
	for _, city := range asked.Near(last, cities, 1) {
		for i, c := range cities {
			if c == city {
				return ". Did you mean " + names[i] + "?"
			}
		}
	}
	return ""
}

// flagError says of a flag that is none which one may have been meant, and which
// command takes it.
func flagError(cmd *cobra.Command, err error) error {
	_, name, ok := strings.Cut(err.Error(), "unknown flag: --")
	if !ok {
		return usage("%w (see %s --help)", err, cmd.CommandPath())
	}
	all := func(c *cobra.Command) []string {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		return names
	}
	if cmd == cmd.Root() {
		for _, command := range []string{"run", "open", "report", "drill"} {
			if c, _, err := cmd.Find([]string{command}); err == nil && oneOf(name, all(c)) {
				return usage("--%s is a flag of inquest %s: write inquest %s --%s …", name, c.Name(), c.Use, name)
			}
		}
	}
	if meant, ok := otherWords[name]; ok {
		return usage("there is no flag --%s: did you mean --%s? (see %s --help)", name, meant, cmd.CommandPath())
	}
	if near := asked.Near(name, all(cmd), 1); len(near) > 0 {
		return usage("there is no flag --%s: did you mean --%s? (see %s --help)", name, strings.Join(near, " or --"), cmd.CommandPath())
	}
	return usage("there is no flag --%s (see %s --help)", name, cmd.CommandPath())
}

// otherWords are flags of psql and of others that people type for ours.
var otherWords = map[string]string{
	"dsn": "db", "database": "db", "dbname": "db", "host": "db", "url": "db", "connection": "db", "conn": "db",
	"role": "as", "user": "as", "timezone": "tz", "zone": "tz", "out": "report", "output": "report", "file": "logs",
}

// notACommand says what a word may have meant that is no command: a command with a
// letter wrong, or a record's id without run before it.
func notACommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if near := asked.Near(args[0], names, 2); len(near) > 0 {
		return usage("there is no command %s: did you mean inquest %s?", args[0], strings.Join(near, " or inquest "))
	}
	return usage("there is no command %s: to investigate a record write inquest run %s --db … --logs …, or inquest alone for the terminal UI", args[0], args[0])
}
