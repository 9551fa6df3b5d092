package investigations

import (
	"bytes"
	"encoding/json"
	"strings"
)

// redactJSON redacts every string of a JSON text and returns it with the number
// of cuts. Object keys stay; a string under a key that names a secret is cut
// whole.
func redactJSON(raw []byte, r Redactor) (string, int, error) {
	if r == nil {
		return string(raw), 0, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", 0, err
	}
	cuts := 0
	v = redactValue(v, "", r, &cuts)
	if cuts == 0 {
		return string(raw), 0, nil
	}
	out, err := json.Marshal(v)
	return string(out), cuts, err
}

func redactValue(v any, key string, r Redactor, cuts *int) any {
	switch t := v.(type) {
	case string:
		if secretKey(key) && t != "" {
			// The pair is shown to the redactor as it would stand in a log, so that
			// what must be kept (the record's id) is kept by one rule.
			const lead = "password="
			s, n := r.Redact(lead + t)
			*cuts += n
			return strings.TrimPrefix(s, lead)
		}
		s, n := r.Redact(t)
		*cuts += n
		return s
	case []any:
		for i := range t {
			t[i] = redactValue(t[i], key, r, cuts)
		}
		return t
	case map[string]any:
		for k := range t {
			t[k] = redactValue(t[k], k, r, cuts)
		}
		return t
	default:
		return v
	}
}

func secretKey(k string) bool {
	k = strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(k))
	for _, s := range []string{"password", "passwd", "secret", "apikey", "accesskey", "authorization", "setcookie", "privatekey"} {
		if strings.HasSuffix(k, s) {
			return true
		}
	}
	return false
}
