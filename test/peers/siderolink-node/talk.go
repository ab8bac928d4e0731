package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc/status"
)

// fact is one line of output.
type fact map[string]any

var sayMu sync.Mutex

// say writes one JSON line to stdout.
func say(f fact) {
	line, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}

	sayMu.Lock()
	defer sayMu.Unlock()

	os.Stdout.Write(append(line, '\n')) //nolint:errcheck
}

// refusal adds what an error is: its gRPC code where it has one.
func refusal(f fact, err error) fact {
	if err == nil {
		f["code"] = "OK"

		return f
	}

	f["code"] = status.Code(err).String()
	f["message"] = err.Error()

	if s, ok := status.FromError(err); ok {
		f["message"] = s.Message()
	}

	return f
}

// order is one line of input. Which members count depends on what is to be done.
type order struct {
	Do        string          `json:"do"`
	ID        any             `json:"id"` // given back with the answer
	Name      string          `json:"name"`
	Lines     []string        `json:"lines"`
	Raw       []byte          `json:"raw"` // base64
	Count     int             `json:"count"`
	Size      int             `json:"size"`
	Sizes     []int           `json:"sizes"`
	Address   string          `json:"address"`
	TimeoutMs int             `json:"timeoutMs"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	Value     []byte          `json:"value"` // base64
	EventID   string          `json:"eventId"`
	NoData    bool            `json:"noData"`
	Header    *string         `json:"header"`
	Key       string          `json:"key"`
}

// takeOrders answers orders one after another until stdin or the context ends.
func takeOrders(ctx context.Context, do func(o order) fact) error {
	lines := make(chan []byte)

	go func() {
		defer close(lines)

		in := bufio.NewReaderSize(os.Stdin, 1<<20)

		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}

			lines <- line
		}
	}()

	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return nil
			}

			var o order
			if err := json.Unmarshal(line, &o); err != nil {
				return fmt.Errorf("an order that cannot be read: %w", err)
			}

			answer := do(o)
			answer["re"] = o.Do

			if o.ID != nil {
				answer["id"] = o.ID
			}

			say(answer)
		}
	}
}
