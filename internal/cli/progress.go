package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker/cli/cli/streams"
	"github.com/docker/go-units"
)

var progressModes = []string{"auto", "tty", "plain", "json", "quiet"}

// progress shows the steps of a create on standard error.
type progress interface {
	show(p api.Progress)
	// done leaves the terminal at the start of a clean line.
	done()
}

func newProgress(out *streams.Out, mode string, quiet bool) (progress, error) {
	if !slices.Contains(progressModes, mode) {
		return nil, fmt.Errorf("unknown --progress %q: use %s", mode, strings.Join(progressModes, ", "))
	}
	if mode == "auto" {
		mode = "plain"
		if out.IsTerminal() && os.Getenv("TERM") != "dumb" {
			mode = "tty"
		}
	}
	switch {
	case quiet || mode == "quiet":
		return quietProgress{}, nil
	case mode == "json":
		return jsonProgress{json.NewEncoder(out)}, nil
	case mode == "tty":
		return &ttyProgress{out: out, layers: map[string]api.Progress{}}, nil
	}
	return &plainProgress{out: out, last: map[string]string{}}, nil
}

type quietProgress struct{}

func (quietProgress) show(api.Progress) {}
func (quietProgress) done()             {}

type jsonProgress struct{ enc *json.Encoder }

func (j jsonProgress) show(p api.Progress) { _ = j.enc.Encode(p) }
func (jsonProgress) done()                 {}

// plainProgress prints a line whenever the status of a step or layer changes.
type plainProgress struct {
	out  io.Writer
	last map[string]string
}

func (p *plainProgress) show(step api.Progress) {
	if p.last[step.ID] == step.Status {
		return
	}
	p.last[step.ID] = step.Status
	if step.ID != "" {
		fmt.Fprintf(p.out, "%s: %s\n", step.ID, step.Status)
		return
	}
	fmt.Fprintln(p.out, step.Status)
}

func (p *plainProgress) done() {}

// ttyProgress repaints one line: the step, and the sum over all layers.
type ttyProgress struct {
	out    *streams.Out
	step   string
	layers map[string]api.Progress
	dirty  bool
}

func (t *ttyProgress) show(p api.Progress) {
	if p.ID == "" {
		t.step = p.Status
	} else {
		// A layer's later steps start counting anew: keep the furthest.
		if old := t.layers[p.ID]; p.Total == 0 {
			p.Current, p.Total = old.Current, old.Total
		}
		t.layers[p.ID] = p
	}
	t.paint()
}

func (t *ttyProgress) paint() {
	line := t.step
	var current, total int64
	for _, l := range t.layers {
		current += l.Current
		total += l.Total
	}
	if total > 0 {
		line += fmt.Sprintf("  %s / %s in %d layers", units.HumanSize(float64(current)), units.HumanSize(float64(total)), len(t.layers))
	}
	if _, width := t.out.GetTtySize(); width > 1 && len(line) >= int(width) {
		line = line[:width-1]
	}
	fmt.Fprintf(t.out, "\r\x1b[K%s", line)
	t.dirty = true
}

func (t *ttyProgress) done() {
	if t.dirty {
		fmt.Fprint(t.out, "\r\x1b[K")
	}
}
