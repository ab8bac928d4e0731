package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/siderolabs/siderolink/api/events"
	pb "github.com/siderolabs/siderolink/api/siderolink"
	_ "github.com/siderolabs/talos/pkg/machinery/api/machine" // The messages that events carry.
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	logPort  = 4001
	sinkPort = 4002
)

// obey does one order:
//
//	join {key}                          a new Provision call and link; key: the private one, else a new one
//	ask {key}                           Provision only, with this text as public key; header: the virtual address of the answer
//	leave                               close the link
//	log {lines, raw, timeoutMs}         to the log receiver over one kept connection; raw bytes follow the lines; 5 s as Talos, unless given
//	close-log                           close that connection
//	flood {count, size}                 as many log lines of this size, then end of the stream; answers when the receiver has closed
//	event {type, payload|value, eventId, noData}   publish: payload is protobuf's JSON, value its bytes
//	dial {address, timeoutMs}           whether a TCP connection over the link can be had
//	reach {address, timeoutMs}          dial again and again until it succeeds; ms is how long that took
//	hold {count, address, raw}          open connections and keep them
//	release                             close them
//	state                               the device's peer
//	stream, stream-send, stream-close {name, header, sizes}   raw CreateStream calls; header absent: the node's own
func (n *node) obey(ctx context.Context, o order) fact {
	answer, err := n.tryToObey(ctx, o)
	if err != nil {
		return refusal(fact{"ok": false}, err)
	}

	if _, has := answer["ok"]; !has {
		answer["ok"] = true
	}

	return answer
}

func (n *node) tryToObey(ctx context.Context, o order) (fact, error) {
	switch o.Do {
	case "join":
		return n.join(ctx, o), nil
	case "ask":
		return n.ask(ctx, o)
	case "leave":
		n.leave()

		return fact{}, nil
	case "log":
		return n.sendLog(ctx, o)
	case "close-log":
		if n.logs != nil {
			n.logs.Close() //nolint:errcheck
			n.logs = nil
		}

		return fact{}, nil
	case "flood":
		return n.flood(ctx, o)
	case "event":
		return n.publish(ctx, o)
	case "dial":
		return n.tryDial(ctx, o)
	case "reach":
		return n.reach(ctx, o)
	case "hold":
		return n.hold(ctx, o)
	case "release":
		for _, conn := range n.held {
			conn.Close() //nolint:errcheck
		}

		n.held = nil

		return fact{}, nil
	case "state":
		return n.state()
	case "stream", "stream-send", "stream-close":
		return n.rawStreams(ctx, o)
	}

	return nil, fmt.Errorf("there is no %q", o.Do)
}

func (n *node) ask(ctx context.Context, o order) (fact, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	response, err := pb.NewProvisionServiceClient(n.api).Provision(ctx, n.joining.request(o.Key))
	answer := refusal(fact{}, err)

	if err == nil {
		answer["address"] = response.GetNodeAddressPrefix()
		answer["header"] = response.GetGrpcPeerAddrPort()
	}

	return answer, nil
}

func (n *node) sendLog(ctx context.Context, o order) (fact, error) {
	if n.logs == nil {
		to, err := n.at(o.Address, logPort)
		if err != nil {
			return nil, err
		}

		if n.logs, err = n.dial(ctx, to, o.TimeoutMs); err != nil {
			n.logs = nil

			return nil, err
		}
	}

	var data []byte
	for _, line := range o.Lines {
		data = append(append(data, line...), '\n')
	}

	patience := 5 * time.Second
	if o.TimeoutMs > 0 {
		patience = time.Duration(o.TimeoutMs) * time.Millisecond
	}

	n.logs.SetWriteDeadline(time.Now().Add(patience)) //nolint:errcheck

	written, err := n.logs.Write(append(data, o.Raw...))
	if err != nil {
		n.logs.Close() //nolint:errcheck
		n.logs = nil

		return nil, err
	}

	return fact{"written": written}, nil
}

// logLine is a record as Talos writes it, made up to a size with its message.
func logLine(index, size int) []byte {
	line := fmt.Sprintf(`{"clock":%d,"facility":"kern","msg":"`, 1000+index)
	rest := fmt.Sprintf(`\n","priority":"info","seq":%d,"talos-level":"info","talos-time":"2026-11-21T08:00:00.000001Z"}`+"\n", index)

	return []byte(line + strings.Repeat("x", max(1, size-len(line)-len(rest))) + rest)
}

func (n *node) flood(ctx context.Context, o order) (fact, error) {
	to, err := n.at(o.Address, logPort)
	if err != nil {
		return nil, err
	}

	conn, err := n.dial(ctx, to, o.TimeoutMs)
	if err != nil {
		return nil, err
	}

	defer conn.Close() //nolint:errcheck

	started := time.Now()
	written, err := sendLines(conn, o.Count, o.Size)

	return fact{"lines": o.Count, "bytes": written, "seconds": time.Since(started).Seconds()}, err
}

// sendLines writes in chunks of about 32 KiB and ends the stream.
func sendLines(conn net.Conn, count, size int) (written int64, err error) {
	var chunk bytes.Buffer

	for i := range count {
		chunk.Write(logLine(i, size))

		if chunk.Len() < 32<<10 && i < count-1 {
			continue
		}

		sent, err := conn.Write(chunk.Bytes())
		written += int64(sent)

		if err != nil {
			return written, err
		}

		chunk.Reset()
	}

	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return written, nil
	}

	if err = half.CloseWrite(); err != nil {
		return written, err
	}

	conn.SetReadDeadline(time.Now().Add(60 * time.Second)) //nolint:errcheck
	conn.Read(make([]byte, 1))                             //nolint:errcheck // The end of the stream: all was read.

	return written, nil
}

func (n *node) publish(ctx context.Context, o order) (fact, error) {
	if n.sink == nil {
		dialer := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			to, err := n.at(o.Address, sinkPort)
			if err != nil {
				return nil, err
			}

			return n.dial(ctx, to, 0)
		})

		var err error
		if n.sink, err = grpc.NewClient("passthrough:///sink", dialer, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
			return nil, err
		}
	}

	request := &events.EventRequest{Id: o.EventID}

	if !o.NoData {
		value := o.Value

		if o.Payload != nil {
			var err error
			if value, err = encodePayload(o.Type, o.Payload); err != nil {
				return nil, err
			}
		}

		request.Data = &anypb.Any{TypeUrl: "type.googleapis.com/" + o.Type, Value: value}
	}

	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	started := time.Now()
	_, err := events.NewEventSinkServiceClient(n.sink).Publish(ctx, request, grpc.WaitForReady(true))

	return refusal(fact{"ms": time.Since(started).Milliseconds()}, err), nil
}

func encodePayload(name string, json []byte) ([]byte, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}

	message := kind.New().Interface()
	if err := protojson.Unmarshal(json, message); err != nil {
		return nil, err
	}

	return proto.Marshal(message)
}

func (n *node) tryDial(ctx context.Context, o order) (fact, error) {
	to, err := n.at(o.Address, logPort)
	if err != nil {
		return nil, err
	}

	started := time.Now()
	conn, err := n.dial(ctx, to, o.TimeoutMs)
	answer := fact{"connected": err == nil, "ms": time.Since(started).Milliseconds()}

	if err != nil {
		answer["message"] = err.Error()

		return answer, nil
	}

	return answer, conn.Close()
}

func (n *node) reach(ctx context.Context, o order) (fact, error) {
	to, err := n.at(o.Address, logPort)
	if err != nil {
		return nil, err
	}

	const each = 300

	for started, tries := time.Now(), 1; ; tries++ {
		conn, err := n.dial(ctx, to, each)
		took := time.Since(started).Milliseconds()

		if err == nil {
			return fact{"connected": true, "ms": took, "tries": tries}, conn.Close()
		}

		if ctx.Err() != nil || took > int64(o.TimeoutMs) {
			return fact{"connected": false, "ms": took, "message": err.Error()}, nil
		}

		sleep(ctx, 20*time.Millisecond)
	}
}

func (n *node) hold(ctx context.Context, o order) (fact, error) {
	to, err := n.at(o.Address, logPort)
	if err != nil {
		return nil, err
	}

	opened := 0

	for range o.Count {
		conn, err := n.dial(ctx, to, o.TimeoutMs)
		if err != nil {
			return fact{"opened": opened, "message": err.Error()}, nil
		}

		n.held = append(n.held, conn)
		opened++

		if len(o.Raw) > 0 {
			conn.Write(o.Raw) //nolint:errcheck
		}
	}

	return fact{"opened": opened}, nil
}

func (n *node) state() (fact, error) {
	if n.link == nil {
		return fact{"linked": false}, nil
	}

	s, err := n.link.state()
	if err != nil {
		return nil, err
	}

	answer := fact{"linked": true, "rx": s.rx, "tx": s.tx, "endpoint": s.endpoint, "handshake": !s.lastHandshake.IsZero()}
	if !s.lastHandshake.IsZero() {
		answer["handshakeAgeMs"] = time.Since(s.lastHandshake).Milliseconds()
	}

	return answer, nil
}
