package investigations

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
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
		if isTime(t) {
			return t // a pattern that cut digits out of it would make the entry unreadable
		}
		if secretKey(key) && t != "" {
			// The pair is shown to the redactor as it would stand in a log, so that
			// what must be kept (the record's id) is kept by one rule.
			const lead, quote = "password='", "'"
			s, n := r.Redact(lead + strings.ReplaceAll(t, quote, quote+quote) + quote)
			*cuts += n
			return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, lead), quote), quote+quote, quote)
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

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
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
