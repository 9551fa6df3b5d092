package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"

	"inquest/sources"
	"inquest/sources/gitrepo"
	"inquest/sources/httpapi"
)

// openAPI opens the API that a request names. Headers are those that the
// configuration has for its host, so that no credential goes to another one.
func openAPI(r request, p *program) []sources.Source {
	if r.API == "" {
		return nil
	}
	plain, err := httpapi.Open(r.API, httpapi.Options{})
	if err != nil {
		return []sources.Source{missing("api", sources.KindHTTP, err)}
	}
	a, err := httpapi.Open(r.API, httpapi.Options{
		Headers: p.apiHeaders(strings.TrimPrefix(plain.Name(), "api:")), Proxy: http.ProxyFromEnvironment,
		Agent: "inquest/" + version + " (read-only)", Now: p.now,
	})
	if err != nil {
		return []sources.Source{missing(plain.Name(), sources.KindHTTP, err)}
	}
	return []sources.Source{a}
}

var environment = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// apiHeaders are the configured headers of a host, with ${NAME} taken from the
// environment.
func (p *program) apiHeaders(host string) map[string]string {
	out := map[string]string{}
	for of, headers := range p.config.APIHeaders {
		if !strings.EqualFold(of, host) {
			continue
		}
		for name, value := range headers {
			out[name] = environment.ReplaceAllStringFunc(value, func(v string) string { return p.getenv(v[2 : len(v)-1]) })
		}
	}
	return out
}

func openRepo(r request, _ *program) []sources.Source {
	if r.Repo == "" {
		return nil
	}
	s, err := gitrepo.Open(r.Repo, gitrepo.Options{Environ: os.Environ()})
	if err != nil {
		return []sources.Source{missing("repo", sources.KindRepo, err)}
	}
	return []sources.Source{s}
}
