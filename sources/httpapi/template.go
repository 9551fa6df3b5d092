package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"inquest/sources"
)

// template is a URL with places for the id or for the columns of a composite id.
type template struct {
	text string
	base *url.URL
}

var place = regexp.MustCompile(`\{([^{}]*)\}`)

const idPlace = "id"

func parseTemplate(text string) (template, error) {
	text = strings.TrimSpace(text)
	places := place.FindAllStringSubmatch(text, -1)
	if len(places) == 0 {
		return template{}, errors.New("the API's URL has no {id}: write it where the record's id goes, such as https://host/orders/{id}")
	}
	u, err := url.Parse(place.ReplaceAllString(text, "0"))
	if err != nil {
		return template{}, errors.New("the API's URL cannot be read: write it as https://host/path/{id}") // the error would quote it
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return template{}, fmt.Errorf("the API's URL begins with %q: only http and https are asked", u.Scheme)
	case u.Hostname() == "":
		return template{}, errors.New("the API's URL names no host: write it as https://host/path/{id}")
	case u.User != nil:
		return template{}, errors.New("the API's URL holds a user name: credentials go into the configuration, as api-headers of the host")
	case strings.ContainsAny(authority(text), "{}"):
		return template{}, errors.New("the API's URL has a place in its host: the id goes into the path or the query")
	case strings.Contains(text, "#"):
		return template{}, errors.New("the API's URL has a part after #, which is never sent: leave it out")
	}
	return template{text: text, base: u}, nil
}

// authority is what stands between // and the path.
func authority(text string) string {
	_, rest, _ := strings.Cut(text, "//")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// fill returns the URL for a record.
func (t template) fill(id string, parts map[string]string) (string, error) {
	var missing string
	whole := false
	out := place.ReplaceAllStringFunc(t.text, func(p string) string {
		name := p[1 : len(p)-1]
		v, ok := parts[name]
		if !ok && name == idPlace {
			v, ok, whole = id, true, true
		}
		if !ok {
			missing = name
		}
		return escape(v)
	})
	switch {
	case missing != "":
		return "", &sources.Blind{Why: fmt.Sprintf("the API's URL has a place {%s} for which there is no value", missing), Opens: "write {id}, or give a composite id such as tenant_id=7,doc_id=42"}
	case whole && len(parts) > 0:
		return "", &sources.Blind{Why: "the id has several columns, and the API's URL has one place for it", Opens: "name the columns in the URL, such as --api https://host/{" + anyKey(parts) + "}/…"}
	case strings.Contains(out+"/", "/./") || strings.Contains(out+"/", "/../"):
		return "", &sources.Blind{Why: fmt.Sprintf("the id %q cannot stand in a path", id), Opens: "put {id} into the query of the API's URL"}
	}
	return out, nil
}

func anyKey(m map[string]string) string {
	best := ""
	for k := range m {
		if best == "" || k < best {
			best = k
		}
	}
	return best
}

// escape encodes all but RFC 3986's unreserved characters, which is right in a
// path and in a query.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
