// Command talos-machinery puts machine configurations before the real Talos library: a test peer, never shipped.
//
// It reads JSON lines from standard input and answers each with one JSON line:
//
//	{"config": "...", "patches": ["..."], "mode": "metal|cloud|container", "strict": false}
//	{"stage": "", "error": "", "output": "...", "errors": [], "warnings": []}
//
// With "repeat" the same is done so many times, and the answer has the mean time of one in tookNs.
//
// stage is load, apply or result when that step refused; output is the configuration encoded without comments.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

type request struct {
	Config  string   `json:"config"`
	Patches []string `json:"patches"`
	Mode    string   `json:"mode"`
	Strict  bool     `json:"strict"`
	Repeat  int      `json:"repeat"`
}

type answer struct {
	Stage    string   `json:"stage"`
	Error    string   `json:"error"`
	Output   string   `json:"output"`
	Errors   []string `json:"errors"`
	Warnings []string `json:"warnings"`
	TookNs   int64    `json:"tookNs,omitempty"`
}

type mode string

func (m mode) String() string        { return string(m) }
func (m mode) RequiresInstall() bool { return m == "metal" }
func (m mode) InContainer() bool     { return m == "container" }

func leaves(err error) []string {
	if err == nil {
		return []string{}
	}

	// Several errors may be wrapped once more to say where they belong: both kinds of lists are looked for.
	for at := err; at != nil; at = errors.Unwrap(at) {
		var inner []error

		switch list := at.(type) {
		case interface{ WrappedErrors() []error }:
			inner = list.WrappedErrors()
		case interface{ Unwrap() []error }:
			inner = list.Unwrap()
		default:
			continue
		}

		out := []string{}
		for _, e := range inner {
			out = append(out, leaves(e)...)
		}

		return out
	}

	return []string{err.Error()}
}

func handle(r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Stage: "panic", Error: fmt.Sprint(p)}
		}
	}()

	patches := []configpatcher.Patch{}

	for _, text := range r.Patches {
		p, err := configpatcher.LoadPatch([]byte(text))
		if err != nil {
			return answer{Stage: "load", Error: err.Error()}
		}

		patches = append(patches, p)
	}

	out, err := configpatcher.Apply(configpatcher.WithBytes([]byte(r.Config)), patches)
	if err != nil {
		return answer{Stage: "apply", Error: err.Error()}
	}

	raw, err := out.Bytes()
	if err != nil {
		return answer{Stage: "result", Error: err.Error()}
	}

	cfg, err := configloader.NewFromBytes(raw)
	if err != nil {
		return answer{Stage: "result", Error: err.Error()}
	}

	text, err := cfg.EncodeString(encoder.WithComments(encoder.CommentsDisabled))
	if err != nil {
		return answer{Stage: "result", Error: err.Error()}
	}

	a = answer{Output: text, Errors: []string{}, Warnings: []string{}}

	if r.Mode != "" {
		opts := []validation.Option{validation.WithLocal()}
		if r.Strict {
			opts = append(opts, validation.WithStrict())
		}

		warnings, err := cfg.Validate(mode(strings.ToLower(r.Mode)), opts...)
		a.Errors = leaves(err)

		if warnings != nil {
			a.Warnings = warnings
		}
	}

	return a
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)

	out := json.NewEncoder(os.Stdout)

	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}

		start := time.Now()
		a := handle(r)

		for i := 1; i < r.Repeat; i++ {
			handle(r)
		}

		if r.Repeat > 0 {
			a.TookNs = time.Since(start).Nanoseconds() / int64(r.Repeat)
		}

		if err := out.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
