package report

import (
	"bytes"
	_ "embed" // the style sheet
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"inquest/investigations"
)

//go:embed style.css
var style string

// HTML returns the report as one page that needs nothing else: no script, no
// font, no picture, no request. Light and dark follow the reader's system. Its
// text is that of Markdown; a drawing of the timeline is added.
func HTML(s investigations.State, a investigations.Assessment) ([]byte, error) {
	p := newPage(s, a)
	var b bytes.Buffer
	plain := html.EscapeString(visible(s.Record.ID, false))
	fmt.Fprintf(&b, pageHead, plain, style, plain)
	b.WriteString(contents(p))
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	for _, sec := range p.sections {
		fmt.Fprintf(&b, "<section id=%q>\n", sec.id)
		if sec.title != "" {
			fmt.Fprintf(&b, "<h2>%s</h2>\n", html.EscapeString(sec.title))
		}
		if sec.id == "timeline" {
			b.WriteString(drawing(s, a))
		}
		if err := md.Convert([]byte(sec.body.String()), &b); err != nil {
			return nil, fmt.Errorf("render report section %s: %w", sec.id, err)
		}
		b.WriteString("</section>\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.Bytes(), nil
}

// pageHead forbids by policy what the page does not contain anyway.
const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>What happened to %s</title>
<style>
%s</style>
</head>
<body>
<main>
<h1>What happened to <code>%s</code></h1>
`

func contents(p *page) string {
	var b strings.Builder
	b.WriteString("<nav aria-label=\"Contents\">")
	for _, sec := range p.sections {
		if sec.title != "" {
			fmt.Fprintf(&b, "<a href=\"#%s\">%s</a> ", sec.id, html.EscapeString(sec.title))
		}
	}
	b.WriteString("</nav>\n")
	return b.String()
}
