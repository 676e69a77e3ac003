package drawing

import (
	"fmt"
	"html"
	"strings"
)

// look are the colours of the drawing, light and dark; the same as the
// interfaces use.
const look = `<style>
svg { background: #ffffff; font-family: system-ui, sans-serif; }
text { fill: #16191d; text-anchor: middle; font-size: 13px; }
.tag, .by { fill: #505a64; font-size: 12px; }
.sign { font-size: 12px; }
.label { font-weight: 600; }
path { fill: none; stroke: #737d87; stroke-width: 1.5; }
.automatic { stroke-dasharray: 5 4; }
marker path { fill: #737d87; stroke: none; }
rect { stroke-width: 1.5; }
.ground { fill: #ffffff; stroke: none; }
.need { fill: #fdf0dc; stroke: #7a3e00; } .us { fill: #e6effa; stroke: #1b4b86; } .ok { fill: #e4f3e9; stroke: #1a5c36; }
.bad { fill: #fce9ea; stroke: #94202c; } .todo { fill: #e9ecef; stroke: #3d4650; } .block { fill: #f0e9f8; stroke: #5a3585; }
@media (prefers-color-scheme: dark) {
svg { background: #1c2126; } text { fill: #eceff2; } .tag, .by { fill: #a8b2bc; } .ground { fill: #1c2126; }
.need { fill: #3a2a12; stroke: #f6bd74; } .us { fill: #172c47; stroke: #9cc4f5; } .ok { fill: #15331f; stroke: #8fd6a8; }
.bad { fill: #431a1f; stroke: #f7a5ab; } .todo { fill: #2d343b; stroke: #c3cbd3; } .block { fill: #2f2144; stroke: #ccb1f0; }
}
</style>`

// SVG is the picture as a file that shows it by itself.
func (p Picture) SVG(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", p.Width, p.Height, p.Width, p.Height)
	fmt.Fprintf(&b, "<title>%s</title>\n%s\n", html.EscapeString(title), look)
	b.WriteString(`<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>` + "\n")
	for _, s := range p.Steps {
		if len(s.Points) > 0 {
			class := ""
			if s.Automatic {
				class = ` class="automatic"`
			}
			fmt.Fprintf(&b, `<path%s d="%s" marker-end="url(#head)"/>`+"\n", class, s.Curve())
		}
	}
	for _, s := range p.Steps {
		if s.Sign != nil {
			s.Sign.write(&b, len(wrap(s.Label, signLetters)))
		}
	}
	for _, s := range p.States {
		s.write(&b)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// Curve is the line of a step as the d of an SVG path: straight down a layer,
// bent between two.
func (s Step) Curve() string {
	var b strings.Builder
	for i, p := range s.Points {
		if i == 0 {
			fmt.Fprintf(&b, "M%d %d", p[0], p[1])
			continue
		}
		before := s.Points[i-1]
		if before[0] == p[0] {
			fmt.Fprintf(&b, "V%d", p[1])
			continue
		}
		middle := (before[1] + p[1]) / 2
		fmt.Fprintf(&b, "C%d %d %d %d %d %d", before[0], middle, p[0], middle, p[0], p[1])
	}
	return b.String()
}

func (s *Sign) write(b *strings.Builder, labels int) {
	fmt.Fprintf(b, `<rect class="ground" x="%d" y="%d" width="%d" height="%d"/>`, s.X, s.Y, s.W, s.H)
	for i, line := range s.Lines {
		class := "sign"
		if i >= labels {
			class = "by"
		}
		fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`, class, s.X+s.W/2, s.Y+signHeight*(i+1), html.EscapeString(line))
	}
	b.WriteString("\n")
}

func (s Box) write(b *strings.Builder) {
	radius := 8
	if s.Terminal || s.Initial {
		radius = 20
	}
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, s.Tone, s.X, s.Y, s.W, s.H, radius)
	for i, line := range s.Lines {
		fmt.Fprintf(b, `<text class="label" x="%d" y="%d">%s</text>`, s.X+s.W/2, s.Y+boxPadding+lineHeight*(i+1)-4, html.EscapeString(line))
	}
	fmt.Fprintf(b, `<text class="tag" x="%d" y="%d">%s</text>`+"\n", s.X+s.W/2, s.Y+boxPadding+lineHeight*(len(s.Lines)+1)-4, html.EscapeString(s.Tag))
}
