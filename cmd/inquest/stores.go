package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"inquest/sources"
	"inquest/sources/elastic"
	"inquest/sources/logstore"
	"inquest/sources/loki"
)

// splitStore parts "URL,REST" at the first comma.
func splitStore(arg string) (address, rest string) {
	address, rest, _ = strings.Cut(arg, ",")
	return address, rest
}

func openStores(r request, p *program) []sources.Source {
	var out []sources.Source
	for _, arg := range r.outputs.loki {
		address, selector := splitStore(arg)
		l, err := loki.Open(address, selector, loki.Options{
			Options: logOptions(r, p, "loki", selector), HTTP: p.storeOptions(address, p.logcli(address)), Window: r.Window,
		})
		if err != nil {
			out = append(out, missing("loki:"+selector, sources.KindLog, err))
			continue
		}
		out = append(out, l)
	}
	for _, arg := range r.outputs.elastic {
		address, index := splitStore(arg)
		e, err := elastic.Open(address, index, elastic.Options{
			Options: logOptions(r, p, "elastic", index), HTTP: p.storeOptions(address, nil), Window: r.Window,
		})
		if err != nil {
			out = append(out, missing("elastic:"+index, sources.KindLog, err))
			continue
		}
		out = append(out, e)
	}
	return out
}

// checkStores reports an address that nothing could be asked at, without
// quoting it: it may hold a password.
func (o *outputs) checkStores() error {
	for _, arg := range o.loki {
		address, selector := splitStore(arg)
		if _, err := loki.Open(address, selector, loki.Options{}); err != nil {
			return usage("%w", err)
		}
	}
	for _, arg := range o.elastic {
		address, index := splitStore(arg)
		if _, err := elastic.Open(address, index, elastic.Options{}); err != nil {
			return usage("%w", err)
		}
	}
	return nil
}

// storeOptions are how a store is asked: with the configured headers of its
// host, which win over those given here.
func (p *program) storeOptions(address string, headers map[string]string) logstore.Options {
	out := map[string]string{}
	for name, value := range headers {
		out[http.CanonicalHeaderKey(name)] = value
	}
	if u, err := url.Parse(address); err == nil {
		for name, value := range p.apiHeaders(u.Host) {
			out[http.CanonicalHeaderKey(name)] = value
		}
	}
	return logstore.Options{Headers: out, Proxy: http.ProxyFromEnvironment, Agent: "inquest/" + version + " (read-only)"}
}

// logcli are the headers that Loki's own client would send by the environment,
// when that is about the same server: no credential goes to another one.
func (p *program) logcli(address string) map[string]string {
	of, err := url.Parse(p.getenv("LOKI_ADDR"))
	asked, err2 := url.Parse(address)
	if err != nil || err2 != nil || of.Host == "" || !strings.EqualFold(of.Host, asked.Host) {
		return nil
	}
	out := map[string]string{}
	if tenant := p.getenv("LOKI_ORG_ID"); tenant != "" {
		out["X-Scope-OrgID"] = tenant
	}
	if token := p.getenv("LOKI_BEARER_TOKEN"); token != "" {
		out["Authorization"] = "Bearer " + token
	}
	if user := p.getenv("LOKI_USERNAME"); user != "" {
		out["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+p.getenv("LOKI_PASSWORD")))
	}
	return out
}
