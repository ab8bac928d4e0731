package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/siderolabs/siderolink/pkg/logreceiver"
	"go.uber.org/zap"
)

// runLogLoad sends log lines over plain TCP connections in parallel: {"event":"done","lines":…,"seconds":…,"linesPerSecond":…}.
// It is done when the receiver has read all and closed.
func runLogLoad(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("log-load", flag.ExitOnError)
	to := set.String("to", "", "host:port")
	lines := set.Int("lines", 200_000, "lines in all")
	size := set.Int("size", 200, "bytes of a line")
	connections := set.Int("connections", 1, "connections in parallel")

	if err := set.Parse(args); err != nil {
		return err
	}

	var (
		all    sync.WaitGroup
		failed error
		mu     sync.Mutex
	)

	started := time.Now()

	for range *connections {
		all.Go(func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", *to)
			if err == nil {
				defer conn.Close() //nolint:errcheck

				_, err = sendLines(conn, *lines / *connections, *size)
			}

			if err != nil {
				mu.Lock()
				defer mu.Unlock()

				failed = err
			}
		})
	}

	all.Wait()

	if failed != nil {
		return failed
	}

	seconds := time.Since(started).Seconds()
	say(fact{"event": "done", "lines": *lines, "seconds": seconds, "linesPerSecond": float64(*lines) / seconds})

	return nil
}

// runLogReceiver is upstream's receiver, with a handler that does what Sidero's serverlogs does: look up the annotation of the
// source address and write the record with it, as one line of JSON without a buffer. It says {"event":"listening","address":…}.
func runLogReceiver(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("log-receiver", flag.ExitOnError)
	listen := set.String("listen", "127.0.0.1:0", "address")
	file := set.String("file", "", "file that lines are written to")
	buffered := set.Bool("buffered", false, "write through a buffer, as Sidero does not")

	if err := set.Parse(args); err != nil {
		return err
	}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}

	out, err := os.Create(*file)
	if err != nil {
		return err
	}

	var (
		mu      sync.Mutex
		encoder = json.NewEncoder(out)
	)

	if *buffered {
		writer := bufio.NewWriterSize(out, 64<<10)
		encoder = json.NewEncoder(writer)

		defer writer.Flush() //nolint:errcheck
	}

	annotations := map[string]string{
		"server_uuid": "6b121f82-24a8-4611-9d23-fa1a5ba564f0", "namespace": "default", "metal_machine": "management-cp-0",
		"cluster": "management", "machine": "management-cp-0-machine",
	}
	handler := func(_ netip.Addr, record map[string]any) {
		mu.Lock()
		defer mu.Unlock()

		for name, value := range annotations {
			record[name] = value
		}

		encoder.Encode(record) //nolint:errcheck
	}

	server := logreceiver.NewServer(zap.NewNop(), listener, handler)
	context.AfterFunc(ctx, server.Stop)
	say(fact{"event": "listening", "address": listener.Addr().String()})

	if err := server.Serve(); ctx.Err() == nil {
		return err
	}

	return nil
}
