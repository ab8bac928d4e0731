package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net"
	"os"
	"time"

	"github.com/siderolabs/siderolink/api/events"
	"github.com/siderolabs/siderolink/pkg/agent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// runAgent is upstream's agent: its Provision service, tunnel, WireGuard device (a TUN device, so it needs root) and log
// receiver, which writes a line {"msg":"kernel log message","src_address":…} for each record. The agent's own event sink
// knows no event; this one writes {"event":"machine-event","node":…,"id":…,"type":…,"payload":…}. {"event":"listening"} comes
// first.
func runAgent(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("agent", flag.ExitOnError)
	conf := agent.Config{SinkEndpoint: "127.0.0.1:0"}
	set.StringVar(&conf.APIEndpoint, "api", "127.0.0.1:4000", "address of Provision and the tunnel")
	set.StringVar(&conf.WireguardEndpoint, "wireguard", "127.0.0.1:51821", "endpoint that nodes are told, and its port")
	set.StringVar(&conf.JoinToken, "token", "", "join token that is asked for")
	set.StringVar(&conf.LogEndpoint, "logs", ":4001", "address of the log receiver")
	set.BoolVar(&conf.ForceUserspace, "userspace", false, "never the kernel's WireGuard")
	sink := set.String("events", ":4002", "address of the event sink")
	certFile := set.String("tls-cert", "", "certificate of the API; empty: plain text")
	keyFile := set.String("tls-key", "", "its key")

	out := set.String("out", "", "file for the agent's lines instead of stdout")

	if err := set.Parse(args); err != nil {
		return err
	}

	writer := zapcore.AddSync(os.Stdout)

	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			return err
		}

		writer = file
	}

	if *certFile != "" {
		pair, err := tls.LoadX509KeyPair(*certFile, *keyFile)
		if err != nil {
			return err
		}

		conf.APITLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	}

	listener, err := net.Listen("tcp", *sink)
	if err != nil {
		return err
	}

	server := grpc.NewServer()
	events.RegisterEventSinkServiceServer(server, &eventPrinter{})

	go server.Serve(listener) //nolint:errcheck

	defer server.Stop()

	go sayListening(ctx, conf.APIEndpoint)

	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg", LevelKey: "level"})

	return agent.Run(ctx, conf, nil, zap.New(zapcore.NewCore(encoder, zapcore.Lock(writer), zap.InfoLevel)))
}

func sayListening(ctx context.Context, address string) {
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close() //nolint:errcheck
			say(fact{"event": "listening", "address": address})

			return
		}

		sleep(ctx, 50*time.Millisecond)
	}
}

type eventPrinter struct {
	events.UnimplementedEventSinkServiceServer
}

// Publish writes what came.
func (*eventPrinter) Publish(ctx context.Context, request *events.EventRequest) (*events.EventResponse, error) {
	if request.GetData() == nil {
		return nil, status.Error(codes.InvalidArgument, "an event without data")
	}

	said := fact{"event": "machine-event", "id": request.GetId(), "type": request.GetData().GetTypeUrl()}

	if from, ok := peer.FromContext(ctx); ok {
		said["node"] = from.Addr.String()
	}

	if message, err := request.GetData().UnmarshalNew(); err == nil {
		if text, err := protojson.Marshal(message); err == nil {
			said["payload"] = json.RawMessage(text)
		}
	}

	say(said)

	return &events.EventResponse{}, nil
}
