package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The colours of a scan: few, so that the file stays small.
var tones = color.Palette{
	color.Gray{Y: 250}, color.Gray{Y: 238}, color.Gray{Y: 180}, color.Gray{Y: 90}, color.Gray{Y: 25},
}

const (
	toneEdge  = 1
	toneLine  = 2
	toneWords = 3
)

// scan is a picture of a page, as a telephone would take it: a heading, lines
// of writing that nobody can read, a signature box.
func scan(title string, chance *rand.Rand) ([]byte, error) {
	const width, height, margin = 620, 877, 60 // A4 at 75 dots an inch
	page := image.NewPaletted(image.Rect(0, 0, width, height), tones)
	box(page, image.Rect(0, 0, 14, height), toneEdge)
	box(page, image.Rect(0, 0, width, 10), toneEdge)
	write(page, margin, 80, title)
	write(page, margin, 100, "Made for a demonstration.")
	for y := 150; y < height-220; y += 22 {
		for x := margin; x < width-margin-40; {
			word := 12 + chance.IntN(60)
			box(page, image.Rect(x, y, min(x+word, width-margin), y+6), toneWords)
			x += word + 9
		}
	}
	frame := image.Rect(margin, height-160, width-margin, height-70)
	box(page, frame, toneLine)
	box(page, frame.Inset(1), 0)
	write(page, margin+10, height-80, "Signed")
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, page); err != nil {
		return nil, fmt.Errorf("write picture: %w", err)
	}
	return b.Bytes(), nil
}

func box(page *image.Paletted, r image.Rectangle, tone uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			page.SetColorIndex(x, y, tone)
		}
	}
}

func write(page *image.Paletted, x, y int, text string) {
	d := font.Drawer{Dst: page, Src: image.NewUniform(tones[len(tones)-1]), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(text)
}
