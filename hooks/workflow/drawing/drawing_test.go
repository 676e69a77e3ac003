package drawing_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gatehouse/hooks/workflow/drawing"
)

type rect struct {
	name       string
	x, y, w, h int
}

// rects are all boxes and signs of a picture.
func rects(p drawing.Picture) []rect {
	var list []rect
	for _, b := range p.States {
		list = append(list, rect{b.Key, b.X, b.Y, b.W, b.H})
	}
	for _, s := range p.Steps {
		if s.Sign != nil {
			list = append(list, rect{"sign of " + s.Key, s.Sign.X, s.Sign.Y, s.Sign.W, s.Sign.H})
		}
	}
	return list
}

// sound fails where the picture cannot be read: something overlaps or sticks
// out, or a line does not lead from its box to the other.
func sound(t *testing.T, p drawing.Picture) {
	t.Helper()
	all := rects(p)
	for i, a := range all {
		if a.x < 0 || a.y < 0 || a.x+a.w > p.Width || a.y+a.h > p.Height {
			t.Errorf("%s sticks out: %+v of %d × %d", a.name, a, p.Width, p.Height)
		}
		for _, b := range all[:i] {
			if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
				t.Errorf("%s lies on %s", a.name, b.name)
			}
		}
	}
	boxes := map[string]drawing.Box{}
	for _, b := range p.States {
		boxes[b.Key] = b
	}
	touches := func(b drawing.Box, at [2]int) bool {
		return at[0] >= b.X && at[0] <= b.X+b.W && (at[1] == b.Y || at[1] == b.Y+b.H)
	}
	for _, s := range p.Steps {
		if len(s.Points) == 0 {
			continue
		}
		if first, last := s.Points[0], s.Points[len(s.Points)-1]; !touches(boxes[s.From], first) || !touches(boxes[s.To], last) {
			t.Errorf("%s does not lead from %s to %s: %v", s.Key, s.From, s.To, s.Points)
		}
		for i, at := range s.Points {
			inside := func(b drawing.Box) bool {
				return at[0] > b.X && at[0] < b.X+b.W && at[1] > b.Y && at[1] < b.Y+b.H
			}
			for _, b := range p.States {
				if inside(b) {
					t.Errorf("%s: point %d lies in the box %s", s.Key, i, b.Key)
				}
			}
		}
	}
}

func box(key, category string) drawing.Box {
	return drawing.Box{Key: key, Label: strings.ToUpper(key), Category: category, Tone: "us", Tag: "With us", Initial: key == "a"}
}

func step(key, from, to string) drawing.Step {
	return drawing.Step{Key: key, Label: key, From: from, To: to, By: "handler"}
}

func TestMake_layers(t *testing.T) {
	p := drawing.Make(
		[]drawing.Box{box("a", "open"), box("b", "review"), box("c", "review"), box("end", "done"), box("other", "done")},
		[]drawing.Step{step("on", "a", "b"), step("on2", "b", "c"), step("back", "c", "b"), step("finish", "c", "end"), step("drop", "a", "other"), step("drop", "c", "other"), step("reopen", "end", "a"), step("swap", "end", "other")},
		0)
	sound(t, p)
	y := map[string]int{}
	for _, b := range p.States {
		y[b.Key] = b.Y
	}
	for _, pair := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", "end"}, {"c", "other"}} {
		if y[pair[0]] >= y[pair[1]] {
			t.Errorf("%s does not stand above %s: %v", pair[0], pair[1], y)
		}
	}
	signs := 0
	for _, s := range p.Steps {
		if s.Key == "drop" && s.Sign != nil {
			signs++
		}
	}
	if signs != 1 {
		t.Errorf("steps of the same name to the same state have %d signs, not one", signs)
	}
}

// A draft may be full of faults: it is drawn as far as it goes.
func TestMake_faults(t *testing.T) {
	p := drawing.Make(
		[]drawing.Box{box("a", "open"), box("island", "review")},
		[]drawing.Step{step("itself", "a", "a"), step("nowhere", "a", "gone"), step("from_nowhere", "gone", "a")},
		1)
	sound(t, p)
	for _, s := range p.Steps {
		if s.Points == nil || len(s.Points) > 0 || s.Sign != nil {
			t.Errorf("%s leads nowhere but is drawn: %+v", s.Key, s)
		}
	}
	if empty := drawing.Make(nil, nil, 0); empty.Width < 0 || empty.Height < 0 {
		t.Errorf("nothing is %d × %d", empty.Width, empty.Height)
	}
}

// Any workflow of the size that people write is drawn soundly, and always alike.
func TestMake_anyGraph(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 2 + random.IntN(40)
		var boxes []drawing.Box
		for i := range n {
			b := box(fmt.Sprintf("s%d", i), []string{"open", "review", "waiting", "done"}[random.IntN(4)])
			b.Initial = i == 0
			boxes = append(boxes, b)
		}
		var steps []drawing.Step
		for i := range n * 2 {
			steps = append(steps, step(fmt.Sprintf("t%d", i/2), boxes[random.IntN(n)].Key, boxes[random.IntN(n)].Key))
		}
		once := drawing.Make(clone(boxes), clone(steps), 1)
		sound(t, once)
		if again := drawing.Make(clone(boxes), clone(steps), 1); !reflect.DeepEqual(once, again) {
			t.Fatalf("seed %d is drawn in two ways", seed)
		}
	}
}

func clone[T any](list []T) []T { return append([]T(nil), list...) }

func BenchmarkMake_40States(b *testing.B) {
	var boxes []drawing.Box
	var steps []drawing.Step
	for i := range 40 {
		boxes = append(boxes, box(fmt.Sprintf("s%d", i), "review"))
		steps = append(steps, step(fmt.Sprintf("t%d", i), fmt.Sprintf("s%d", i/2), fmt.Sprintf("s%d", i)), step("cancel", fmt.Sprintf("s%d", i), "s39"))
	}
	for b.Loop() {
		drawing.Make(boxes, steps, 0)
	}
}
