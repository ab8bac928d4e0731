// Command cosi-client looks at a COSI state through the real client of the COSI runtime: a test peer, never shipped.
//
//	cosi-client ADDRESS
//
// It reads JSON lines from standard input, one command each, and answers with JSON lines that carry the command's number. Specs are
// decoded from protobuf into Talos' own types and printed as the encoder of a node would print them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"sync"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/protobuf/client"
	"go.yaml.in/yaml/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	_ "github.com/cosi-project/runtime/pkg/resource/meta"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/config"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/kubeaccess"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/kubespan"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/network"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/siderolink"
)

type command struct {
	Number     int      `json:"number"`
	Do         string   `json:"do"` // get, list, watch, watchKind, cancel, destroy
	Namespace  string   `json:"namespace"`
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	IDQuery    string   `json:"idQuery"`
	Label      string   `json:"label"` // exists
	LabelEqual []string `json:"labelEqual"`
	LabelLess  []string `json:"labelLess"` // numeric
	Bootstrap  bool     `json:"bootstrap"`
	Noop       bool     `json:"noop"`
	Tail       int      `json:"tail"`
	Bookmark   []byte   `json:"bookmark"`
	Aggregated bool     `json:"aggregated"`
	Cancels    int      `json:"cancels"`
}

type item struct {
	ID         string            `json:"id"`
	Version    string            `json:"version"`
	Phase      string            `json:"phase"`
	Owner      string            `json:"owner"`
	Labels     map[string]string `json:"labels,omitempty"`
	Finalizers []string          `json:"finalizers,omitempty"`
	Yaml       string            `json:"yaml"`
}

type event struct {
	Type     string `json:"type"`
	Item     *item  `json:"item,omitempty"`
	Old      *item  `json:"old,omitempty"`
	Error    string `json:"error,omitempty"`
	Bookmark []byte `json:"bookmark,omitempty"`
}

type answer struct {
	Number int     `json:"number"`
	Armed  bool    `json:"armed,omitempty"`
	Error  string  `json:"error,omitempty"`
	Kind   string  `json:"kind,omitempty"`
	Items  []item  `json:"items,omitempty"`
	Events []event `json:"events,omitempty"`
}

var (
	mu  sync.Mutex
	out = json.NewEncoder(os.Stdout)
)

func say(a answer) {
	mu.Lock()
	defer mu.Unlock()

	if err := out.Encode(a); err != nil {
		os.Exit(1)
	}
}

func itemOf(r resource.Resource) item {
	md := r.Metadata()
	i := item{
		ID: md.ID(), Version: md.Version().String(), Phase: md.Phase().String(), Owner: md.Owner(),
		Labels: md.Labels().Raw(), Finalizers: *md.Finalizers(),
	}

	if md.Version().String() != resource.VersionUndefined.String() {
		text, err := yaml.Marshal(r.Spec())
		if err != nil {
			text = []byte("error: " + err.Error())
		}

		i.Yaml = string(text)
	}

	return i
}

func eventOf(e state.Event) event {
	x := event{Type: e.Type.String(), Bookmark: e.Bookmark}

	if e.Resource != nil {
		i := itemOf(e.Resource)
		x.Item = &i
	}

	if e.Old != nil {
		i := itemOf(e.Old)
		x.Old = &i
	}

	if e.Error != nil {
		x.Error = e.Error.Error()
	}

	return x
}

func failed(number int, err error) answer {
	kind := ""

	switch {
	case state.IsNotFoundError(err):
		kind = "notFound"
	case state.IsInvalidWatchBookmarkError(err):
		kind = "bookmark"
	case state.IsOwnerConflictError(err):
		kind = "owner"
	}

	return answer{Number: number, Error: err.Error(), Kind: kind}
}

func (c command) labels() []resource.LabelQueryOption {
	var opts []resource.LabelQueryOption

	if c.Label != "" {
		opts = append(opts, resource.LabelExists(c.Label))
	}

	if len(c.LabelEqual) == 2 {
		opts = append(opts, resource.LabelEqual(c.LabelEqual[0], c.LabelEqual[1]))
	}

	if len(c.LabelLess) == 2 {
		opts = append(opts, resource.LabelLTNumeric(c.LabelLess[0], c.LabelLess[1]))
	}

	return opts
}

func (c command) list(ctx context.Context, st state.CoreState) answer {
	var opts []state.ListOption

	if labels := c.labels(); labels != nil {
		opts = append(opts, state.WithLabelQuery(labels...))
	}

	if c.IDQuery != "" {
		opts = append(opts, state.WithIDQuery(resource.IDRegexpMatch(regexp.MustCompile(c.IDQuery))))
	}

	items, err := st.List(ctx, resource.NewMetadata(c.Namespace, c.Type, "", resource.VersionUndefined), opts...)
	if err != nil {
		return failed(c.Number, err)
	}

	a := answer{Number: c.Number, Items: []item{}}
	for _, r := range items.Items {
		a.Items = append(a.Items, itemOf(r))
	}

	return a
}

func (c command) watch(ctx context.Context, st state.CoreState) {
	single := make(chan state.Event)
	many := make(chan []state.Event)
	md := resource.NewMetadata(c.Namespace, c.Type, c.ID, resource.VersionUndefined)

	var err error

	if c.Do == "watch" {
		opts := []state.WatchOption{state.WithTailEvents(c.Tail)}
		if c.Bookmark != nil {
			opts = append(opts, state.WithStartFromBookmark(c.Bookmark))
		}

		err = st.Watch(ctx, md, single, opts...)
	} else {
		opts := []state.WatchKindOption{
			state.WithBootstrapContents(c.Bootstrap), state.WithBootstrapBookmark(c.Noop), state.WithKindTailEvents(c.Tail),
		}

		if c.Bookmark != nil {
			opts = append(opts, state.WithKindStartFromBookmark(c.Bookmark))
		}

		if labels := c.labels(); labels != nil {
			opts = append(opts, state.WatchWithLabelQuery(labels...))
		}

		if c.IDQuery != "" {
			opts = append(opts, state.WatchWithIDQuery(resource.IDRegexpMatch(regexp.MustCompile(c.IDQuery))))
		}

		if c.Aggregated {
			err = st.WatchKindAggregated(ctx, md, many, opts...)
		} else {
			err = st.WatchKind(ctx, md, single, opts...)
		}
	}

	if err != nil {
		say(failed(c.Number, err))

		return
	}

	say(answer{Number: c.Number, Armed: true})

	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-single:
				say(answer{Number: c.Number, Events: []event{eventOf(e)}})
			case es := <-many:
				a := answer{Number: c.Number}
				for _, e := range es {
					a.Events = append(a.Events, eventOf(e))
				}

				say(a)
			}
		}
	}()
}

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	st := client.NewAdapter(v1alpha1.NewStateClient(conn))
	cancels := map[int]context.CancelFunc{}

	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 16<<20)

	for in.Scan() {
		var c command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}

		ctx, cancel := context.WithCancel(context.Background())
		md := resource.NewMetadata(c.Namespace, c.Type, c.ID, resource.VersionUndefined)

		switch c.Do {
		case "get":
			r, err := st.Get(ctx, md)
			if err != nil {
				say(failed(c.Number, err))
			} else {
				say(answer{Number: c.Number, Items: []item{itemOf(r)}})
			}
		case "list":
			say(c.list(ctx, st))
		case "destroy":
			if err := st.Destroy(ctx, md); err != nil {
				say(failed(c.Number, err))
			} else {
				say(answer{Number: c.Number})
			}
		case "watch", "watchKind":
			cancels[c.Number] = cancel
			c.watch(ctx, st)

			continue
		case "cancel":
			if stop, ok := cancels[c.Cancels]; ok {
				stop()
			}

			say(answer{Number: c.Number})
		}

		cancel()
	}
}
