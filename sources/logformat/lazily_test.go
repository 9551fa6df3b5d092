package logformat

import (
	"regexp"
	"strings"
	"testing"
)

// TestFirstBytesRuleOutNothingThatMatches tries every first byte before what
// makes the expressions match, and before nothing.
func TestFirstBytesRuleOutNothingThatMatches(t *testing.T) {
	rests := []string{"", "a", "bc", "9 x", "oo bar", "\n", "\xa9", "x\ny", "25-11-27 12:00:00", "É"}
	for text, out := range map[string]string{
		`^abc`: "bA\x00", `^(?i)abc`: "b", `^(?i:K)x`: "b", `^[^\s\[]+x?`: " \n[", `^(?:a|9)?b`: "c ", `^\d{2,4}-`: "a-", `^(\w+) `: " -",
		`a`: "", `^`: "", `(?m)^x`: "", `^\bfoo`: "g", `^.`: "\n", `(?s)^.`: "", `^é`: "a", `^[^a]`: "a", `^a*`: "", `^(?:x*|y)$`: "", `^\x{212A}`: "a",
		`^(?:a|^b)c`: "c", `\Aa|^b`: "", `^a|b`: "",
	} {
		re, starts := regexp.MustCompile(text), firstBytes(text)
		for c := range 256 {
			for _, rest := range rests {
				if s := string([]byte{byte(c)}) + rest; re.MatchString(s) && !starts[c] {
					t.Errorf("%s matches %q and rules it out", text, s)
				}
			}
			if out != "" && starts[c] && strings.IndexByte(out, byte(c)) >= 0 {
				t.Errorf("%s lets %q pass", text, rune(c))
			}
		}
	}
}
