package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"go.yaml.in/yaml/v3"

	"inquest/ui"
)

// config is the configuration file. It is optional; every field is.
type config struct {
	// Cases is the folder where cases are saved.
	Cases string `yaml:"cases"`
	// Redact lists regular expressions of what is cut before anything is stored,
	// beside the built-in ones.
	Redact []string `yaml:"redact"`
	// Profiles are named sets of connections, for --profile and the New form.
	Profiles map[string]profile `yaml:"profiles"`
	UI       uiConfig           `yaml:"ui"`
	// APIHeaders are sent to an API, by its host: "api.example.com" or
	// "localhost:8080". ${NAME} in a value is taken from the environment.
	APIHeaders map[string]map[string]string `yaml:"api-headers"`
}

// profile is one set of connections. Passwords belong into .pgpass.
type profile struct {
	DB       []string          `yaml:"db"`
	Logs     []string          `yaml:"logs"`
	WAL      []string          `yaml:"wal"`
	Table    string            `yaml:"table"`
	As       string            `yaml:"as"`
	Settings map[string]string `yaml:"as-setting"`
	TZ       string            `yaml:"tz"`
	API      string            `yaml:"api"`
	Repo     string            `yaml:"repo"`
	Loki     []string          `yaml:"loki"`
	Elastic  []string          `yaml:"elastic"`
}

// uiConfig is how the terminal UI looks and which keys it takes.
type uiConfig struct {
	Theme  string              `yaml:"theme"`
	Colors map[string]string   `yaml:"colors"`
	ASCII  bool                `yaml:"ascii"`
	Mouse  bool                `yaml:"mouse"`
	Keys   map[string][]string `yaml:"keys"`
}

// configPath is INQUEST_CONFIG, else the user's own configuration file.
func configPath(p *program) string {
	if path := p.getenv("INQUEST_CONFIG"); path != "" {
		return path
	}
	return filepath.Join(xdg.ConfigHome, "inquest", "config.yaml")
}

// loadConfig reads the configuration. A file that is not there is empty; an
// unknown field, a bad theme or a key that is taken twice is an error.
func loadConfig(p *program) (config, error) {
	var c config
	path := configPath(p)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, usage("read configuration: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && len(bytes.TrimSpace(b)) > 0 {
		return c, usage("configuration %s: %w", path, err)
	}
	if t := c.UI.Theme; t != "" && !slices.Contains(themes, t) {
		return c, usage("configuration %s: ui.theme %q is none of %s", path, t, strings.Join(themes, ", "))
	}
	if err := ui.CheckKeys(c.UI.Keys); err != nil {
		return c, usage("configuration %s: ui.%w", path, err)
	}
	return c, nil
}

var themes = []string{"auto", "dark", "light"}

// profile returns the named profile.
func (c config) profile(name string) (profile, error) {
	if p, ok := c.Profiles[name]; ok {
		return p, nil
	}
	names := slices.Sorted(maps.Keys(c.Profiles))
	if len(names) == 0 {
		return profile{}, usage("there is no profile %q: the configuration names none", name)
	}
	return profile{}, usage("there is no profile %q: profiles are %s", name, strings.Join(names, ", "))
}

// apply adds the profile's sources behind those that were named, and fills what
// was left open.
func (f profile) apply(r *request) {
	r.Databases = append(r.Databases, f.DB...)
	r.Logs = append(r.Logs, f.Logs...)
	r.WAL = append(r.WAL, f.WAL...)
	r.outputs.loki = append(r.outputs.loki, f.Loki...)
	r.outputs.elastic = append(r.outputs.elastic, f.Elastic...)
	for _, fill := range []struct {
		to   *string
		from string
	}{{&r.Table, f.Table}, {&r.AppRole, f.As}, {&r.Zone, f.TZ}, {&r.API, f.API}, {&r.Repo, f.Repo}} {
		if *fill.to == "" {
			*fill.to = fill.from
		}
	}
	if len(r.AppSettings) == 0 {
		r.AppSettings = f.Settings
	}
}

// summary names what a profile connects, without secrets.
func (f profile) summary() string {
	return fmt.Sprintf("%d databases, %d logs, %d WAL folders", len(f.DB), len(f.Logs), len(f.WAL))
}
