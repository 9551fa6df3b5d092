package walfetch

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTemplatesThatAreRefused(t *testing.T) {
	for s, want := range map[string]string{
		"":               "both %f",
		"cp %f":          "both %f",
		"cp %p":          "both %f",
		"cp %f %p %":     "single %",
		"cp %f %p %r":    "remove files",
		"cp %f %p %d":    "%d is no placeholder",
		"cp '%f' \"%p\"": "",
		"cp %f %p %%":    "",
	} {
		_, err := parseTemplate(s)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}

// Whatever the value is and wherever it stands, the command sees it as it is and nothing else runs.
func TestNoValueEscapesItsPlace(t *testing.T) {
	for _, form := range []string{`printf %%s %f; : %p`, `printf %%s "%f"; : %p`, `printf %%s '%f'; : %p`, `printf %%s '' \' >/dev/null; printf %%s "a\"%f" | tail -c +3; : "%p"`} {
		tmpl, err := parseTemplate(form)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{
			"000000010000000000000001", "/tmp/plain", "a b", "it's", `"; echo no; "`, "$(echo no)", "`echo no`", `\`, `a\nb`, "$HOME", "'; echo no; '", "*", "~", "a\nb", "-n",
			`\"`, "%f", "é", "!x", "#x", "&& echo no", "| cat",
		} {
			out, err := exec.Command("sh", "-c", tmpl.fill(v, v)).Output()
			if err != nil || string(out) != v {
				t.Errorf("%s with %q: %q %v (%s)", form, v, out, err, tmpl.fill(v, v))
			}
		}
	}
}

func TestPercentSignsStayAsTheyWereMeant(t *testing.T) {
	tmpl, err := parseTemplate(`a %% '%%' %f %p`)
	if err != nil {
		t.Fatal(err)
	}
	if got := tmpl.fill("F", "P"); got != `a % '%' F P` {
		t.Error(got)
	}
}
