package pgserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Installation is one set of server binaries.
type Installation struct {
	// Bin is the folder that holds postgres and initdb.
	Bin string
	// Version is what `postgres --version` names, such as "15.18" or "18.0beta1".
	Version string
	// Major is the major version, such as 15.
	Major int
	// Origin says where it was found: "INQUEST_PG_BIN", "PATH", "system", "homebrew", "postgres.app" or "cache".
	Origin string
}

// place is a folder to look in and the origin it stands for.
type place struct{ bin, origin string }

// Find lists the installations on this machine: the one INQUEST_PG_BIN names first, then newest first, and of the
// same version those of the system before those in inquest's cache. It runs `postgres --version` of each. With
// INQUEST_PG_BIN=none it finds nothing, as on a machine without a server.
func Find() []Installation {
	var found []Installation
	if os.Getenv("INQUEST_PG_BIN") == "none" {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range places() {
		bin, err := realBin(p.bin)
		if err != nil || seen[bin] {
			continue
		}
		seen[bin] = true
		inst, err := inspect(bin, p.origin)
		if err == nil {
			found = append(found, inst)
		}
	}
	slices.SortStableFunc(found, compareInstallations)
	return found
}

func compareInstallations(a, b Installation) int {
	if x, y := a.Origin == "INQUEST_PG_BIN", b.Origin == "INQUEST_PG_BIN"; x != y {
		if x {
			return -1
		}
		return 1
	}
	if a.Major != b.Major {
		return b.Major - a.Major
	}
	return minor(b.Version) - minor(a.Version)
}

// places lists every folder worth a look, in order of preference among equals.
func places() []place {
	var ps []place
	if dir := os.Getenv("INQUEST_PG_BIN"); dir != "" {
		ps = append(ps, place{dir, "INQUEST_PG_BIN"})
	}
	for _, g := range []place{
		{"/usr/lib/postgresql/*/bin", "system"},
		{"/usr/pgsql-*/bin", "system"},
		{"/opt/homebrew/opt/postgresql@*/bin", "homebrew"},
		{"/opt/homebrew/opt/postgresql/bin", "homebrew"},
		{"/usr/local/opt/postgresql@*/bin", "homebrew"},
		{"/usr/local/opt/postgresql/bin", "homebrew"},
		{"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin", "homebrew"},
		{"/Applications/Postgres.app/Contents/Versions/*/bin", "postgres.app"},
	} {
		ps = append(ps, globPlaces(g.bin, g.origin)...)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		ps = append(ps, place{dir, "PATH"})
	}
	return append(ps, globPlaces(filepath.Join(VersionsDir(), "*", "bin"), "cache")...)
}

func globPlaces(pattern, origin string) []place {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	ps := make([]place, len(dirs))
	for i, dir := range dirs {
		ps[i] = place{dir, origin}
	}
	return ps
}

// realBin follows a postgres that is a link, as package managers install it, to the folder where initdb is its neighbour.
func realBin(dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("folder %q is not absolute", dir)
	}
	exe, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return "", err
	}
	bin := filepath.Dir(exe)
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return "", err
	}
	return bin, nil
}

var versionWord = regexp.MustCompile(`\d+(?:\.\d+)*(?:devel|(?:alpha|beta|rc)\d+)?`)

// inspect asks the binary in a folder for its version.
func inspect(bin, origin string) (Installation, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	exe := filepath.Join(bin, "postgres")
	out, err := exec.CommandContext(ctx, exe, "--version").Output()
	if err != nil {
		return Installation{}, fmt.Errorf("ask %s for its version: %w", exe, err)
	}
	word := versionWord.FindString(string(out))
	major, err := strconv.Atoi(leadingDigits(word))
	if err != nil {
		return Installation{}, fmt.Errorf("read the version of %s: no number in %q", exe, strings.TrimSpace(string(out)))
	}
	return Installation{Bin: bin, Version: word, Major: major, Origin: origin}, nil
}

func leadingDigits(s string) string {
	for i, r := range s {
		if r < '0' || r > '9' {
			return s[:i]
		}
	}
	return s
}

// minor is the second number of a version, or 0; pre-releases count as 0.
func minor(version string) int {
	_, rest, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(leadingDigits(rest))
	if err != nil {
		return 0
	}
	return n
}

// choose picks the installation a Config asks for, among those the server's user can reach.
func choose(cfg Config, user identity) (Installation, error) {
	if cfg.Bin != "" {
		return chooseBin(cfg.Bin, user)
	}
	want := cfg.Major
	if want == 0 && cfg.Backup != nil {
		want = cfg.Backup.Major
	}
	all := Find()
	var refused error
	for _, inst := range preferSystem(all, want) {
		if err := user.canReach(inst.Bin); err != nil {
			refused = err
			continue
		}
		return inst, nil
	}
	switch {
	case refused != nil:
		return Installation{}, fmt.Errorf("%w: %w", ErrNoServer, refused)
	case want != 0 && len(all) > 0:
		return Installation{}, fmt.Errorf("%w: version %d is wanted, here are %s", ErrNoServer, want, versions(all))
	}
	return Installation{}, ErrNoServer
}

func chooseBin(dir string, user identity) (Installation, error) {
	bin, err := realBin(dir)
	if err != nil {
		return Installation{}, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	if err := user.canReach(bin); err != nil {
		return Installation{}, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	return inspect(bin, "config")
}

// preferSystem keeps the installations of the wanted version (0 for any), those in the cache last: they lack the
// client programs and some libraries that a full installation has.
func preferSystem(all []Installation, want int) []Installation {
	var fit []Installation
	for _, inst := range all {
		if want == 0 || inst.Major == want {
			fit = append(fit, inst)
		}
	}
	slices.SortStableFunc(fit, func(a, b Installation) int {
		return rank(a) - rank(b)
	})
	return fit
}

func rank(inst Installation) int {
	switch inst.Origin {
	case "INQUEST_PG_BIN":
		return 0
	case "cache":
		return 2
	}
	return 1
}

func versions(all []Installation) string {
	words := make([]string, len(all))
	for i, inst := range all {
		words[i] = inst.Version
	}
	return strings.Join(words, ", ")
}
