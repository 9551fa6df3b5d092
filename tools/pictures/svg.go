package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// palette is what the terminal of a picture looks like.
type palette struct {
	name   string
	bg, fg int
	frame  int
	colors [16]int
}

var dark = palette{
	name: "dark", bg: 0x15181e, fg: 0xd6dae1, frame: 0x343a46,
	colors: [16]int{
		0x3b414d, 0xe06c75, 0x8cc265, 0xd9a343, 0x5fa8e8, 0xc58af9, 0x4cc2cf, 0xabb2bf,
		0x5c6370, 0xff7b86, 0x9fd87a, 0xf0c05a, 0x78bcff, 0xd7a2ff, 0x66d9e6, 0xffffff,
	},
}

var light = palette{
	name: "light", bg: 0xfdfdfb, fg: 0x22272e, frame: 0xc9ced6,
	colors: [16]int{
		0x22272e, 0xb91c28, 0x1f7a36, 0x8a6100, 0x1452b8, 0x8b2fb5, 0x0b7285, 0x6b727c,
		0x57606a, 0xcf222e, 0x2a8f45, 0x9a6700, 0x2168d8, 0x9a3fd0, 0x13889c, 0x8c959f,
	},
}

// A cell is cw×ch units; the letters are fs high.
const (
	cw, ch  = 8.4, 18.0
	fs      = 14.0
	pad     = 14.0
	rounded = 8.0
)

func hex(c int) string { return fmt.Sprintf("#%06x", c&0xffffff) }

func (p palette) color(n, own int) int {
	switch {
	case n < 0:
		return own
	case n&isRGB != 0:
		return n &^ isRGB
	case n < 16:
		return p.colors[n]
	case n < 232:
		step := func(v int) int {
			if v == 0 {
				return 0
			}
			return 55 + 40*v
		}
		n -= 16
		return step(n/36)<<16 | step(n/6%6)<<8 | step(n%6)
	}
	grey := 8 + 10*(n-232)
	return grey<<16 | grey<<8 | grey
}

// mix returns a with a share of b.
func mix(a, b int, share float64) int {
	out := 0
	for s := 0; s <= 16; s += 8 {
		x, y := float64(a>>s&255), float64(b>>s&255)
		out |= int(x+(y-x)*share) << s
	}
	return out
}

// ink returns the colours of a cell's text and ground.
func (p palette) ink(c cell) (fg, bg int) {
	fg, bg = p.color(c.fg, p.fg), p.color(c.bg, p.bg)
	if c.faint {
		fg = mix(fg, bg, 0.42)
	}
	if c.reverse {
		fg, bg = bg, fg
	}
	return fg, bg
}

// drawSVG draws the grid. Lines and blocks are drawn as shapes, so that they
// join whatever the font; text is set in runs of one style, each of an exact
// length.
func drawSVG(grid [][]cell, p palette) []byte {
	w, h := float64(len(grid[0]))*cw+2*pad, float64(len(grid))*ch+2*pad
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%.0f" height="%.0f" rx="%g" fill="%s" stroke="%s"/>`+"\n", w-1, h-1, rounded, hex(p.bg), hex(p.frame))
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="%g" xml:space="preserve">`+"\n", fs)
	for y, row := range grid {
		grounds(&b, row, y, p)
	}
	for y, row := range grid {
		texts(&b, row, y, p)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

func grounds(b *bytes.Buffer, row []cell, y int, p palette) {
	for x := 0; x < len(row); {
		_, bg := p.ink(row[x])
		from := x
		for x++; x < len(row); x++ {
			if _, next := p.ink(row[x]); next != bg {
				break
			}
		}
		if bg != p.bg {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", pad+float64(from)*cw, pad+float64(y)*ch, float64(x-from)*cw, ch, hex(bg))
		}
	}
}

func texts(b *bytes.Buffer, row []cell, y int, p palette) {
	for x := 0; x < len(row); {
		c := row[x]
		fg, _ := p.ink(c)
		if s := shape(c.r); s != nil {
			from := x
			for x < len(row) && row[x].r == c.r && row[x].style == c.style {
				x++
			}
			for i := from; i < x; i++ {
				if c.r == '─' { // one line for the whole run
					fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="%s" fill="none"/>`+"\n", pad+float64(from)*cw, pad+float64(y)*ch+ch/2, float64(x-from)*cw, hex(fg))
					break
				}
				s(b, pad+float64(i)*cw, pad+float64(y)*ch, hex(fg))
			}
			continue
		}
		from := x
		var run strings.Builder
		for x < len(row) && row[x].style == c.style && shape(row[x].r) == nil && (x == from || single(row[x].r) == single(c.r) && single(c.r)) {
			run.WriteRune(row[x].r)
			x++
		}
		write(b, run.String(), from, x, y, c, hex(fg))
	}
}

// single reports characters that every monospace font sets in one cell; others
// are set one by one, so that a wider sign moves nothing.
func single(r rune) bool { return r < 0x250 }

func write(b *bytes.Buffer, run string, from, to, y int, c cell, fg string) {
	text := strings.TrimRight(run, " ")
	if text == "" && !c.underlin {
		return
	}
	lead := len(text) - len(strings.TrimLeft(text, " "))
	text = text[lead:]
	n := len([]rune(text))
	x := pad + float64(from+lead)*cw
	base := pad + float64(y)*ch + ch*0.72
	attrs := ""
	if c.bold {
		attrs += ` font-weight="bold"`
	}
	if n > 0 {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>`, x, base, float64(n)*cw, fg, attrs)
		_ = xml.EscapeText(b, []byte(text))
		b.WriteString("</text>\n")
	}
	if c.underlin {
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="%s"/>`+"\n", pad+float64(from)*cw, base+2.5, float64(to-from)*cw, fg)
	}
}

type drawer func(b *bytes.Buffer, x, y float64, color string)

// shape returns how a character of lines or blocks is drawn, nil for a letter.
func shape(r rune) drawer {
	path := func(d string) drawer {
		return func(b *bytes.Buffer, x, y float64, color string) {
			fmt.Fprintf(b, `<path transform="translate(%.1f %.1f)" d="%s" stroke="%s" fill="none"/>`+"\n", x, y, d, color)
		}
	}
	const mx, my = cw / 2, ch / 2
	switch r {
	case '─', '╶', '╴':
		return path(fmt.Sprintf("M0 %gH%g", my, cw))
	case '┼':
		return path(fmt.Sprintf("M%g 0V%gM0 %gH%g", mx, ch, my, cw))
	case '│':
		return path(fmt.Sprintf("M%g 0V%g", mx, ch))
	case '╭':
		return path(fmt.Sprintf("M%g %gV%gQ%g %g %g %g", mx, ch, my+4, mx, my, cw, my))
	case '╮':
		return path(fmt.Sprintf("M0 %gQ%g %g %g %gV%g", my, mx, my, mx, my+4, ch))
	case '╰':
		return path(fmt.Sprintf("M%g 0V%gQ%g %g %g %g", mx, my-4, mx, my, cw, my))
	case '╯':
		return path(fmt.Sprintf("M0 %gQ%g %g %g %gV0", my, mx, my, mx, my-4))
	case '░':
		return func(b *bytes.Buffer, x, y float64, color string) {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%g" height="%g" fill="%s" fill-opacity="0.28"/>`+"\n", x, y+2, cw, ch-4, color)
		}
	}
	if r >= '▁' && r <= '█' {
		high := ch * float64(r-'▁'+1) / 8
		return func(b *bytes.Buffer, x, y float64, color string) {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`+"\n", x, y+ch-high, cw+0.1, high, color)
		}
	}
	return nil
}
