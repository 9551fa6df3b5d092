package uitest

import (
	"encoding/json"
	"strings"
)

// raw keeps a body as it is when it is JSON, and as a string when it is not.
func raw(s string) any {
	if json.Valid([]byte(s)) && strings.ContainsAny(s[:1], "{[") {
		return json.RawMessage(s)
	}
	return s
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}
