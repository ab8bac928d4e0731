// Command siderolink-node is the other end of SideroLink on the upstream Go module: a test peer, never shipped.
// It answers with JSON lines on stdout; interactive sub-commands take JSON lines on stdin. Every sub-command has -h.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

var commands = map[string]func(ctx context.Context, args []string) error{
	"node":               runNode,
	"nodes":              runNodes,
	"provision-load":     runProvisionLoad,
	"tunnel-echo-client": runTunnelEchoClient,
	"tunnel-echo-server": runTunnelEchoServer,
	"log-load":           runLogLoad,
	"log-receiver":       runLogReceiver,
	"agent":              runAgent,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		names := make([]string, 0, len(commands))
		for name := range commands {
			names = append(names, name)
		}

		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "usage: siderolink-node %s [flags]\n", strings.Join(names, "|"))
		os.Exit(2)
	}

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	if err := commands[os.Args[1]](ctx, os.Args[2:]); err != nil {
		say(fact{"event": "failed", "error": err.Error()})
		os.Exit(1)
	}
}
