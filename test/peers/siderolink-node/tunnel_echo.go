package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"time"

	pb "github.com/siderolabs/siderolink/api/siderolink"
	"github.com/siderolabs/siderolink/pkg/wgtunnel/wggrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

type echoService struct {
	pb.UnimplementedWireGuardOverGRPCServiceServer
}

// CreateStream gives every packet back.
func (*echoService) CreateStream(stream pb.WireGuardOverGRPCService_CreateStreamServer) error {
	for {
		packet, err := stream.Recv()
		if err != nil {
			return nil //nolint:nilerr
		}

		if err := stream.Send(packet); err != nil {
			return err
		}
	}
}

// runTunnelEchoServer is grpc-go giving back every PeerPacket. It says {"event":"listening","address":…}.
func runTunnelEchoServer(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("tunnel-echo-server", flag.ExitOnError)
	listen := set.String("listen", "127.0.0.1:0", "address")

	if err := set.Parse(args); err != nil {
		return err
	}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}

	server := grpc.NewServer()
	pb.RegisterWireGuardOverGRPCServiceServer(server, &echoService{})
	context.AfterFunc(ctx, server.Stop)
	say(fact{"event": "listening", "address": listener.Addr().String()})

	return server.Serve(listener)
}

// runTunnelEchoClient sends PeerPackets and counts those that come back: {"event":"done","perSecond":…}.
func runTunnelEchoClient(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("tunnel-echo-client", flag.ExitOnError)
	to := set.String("to", "", "host:port")
	header := set.String("header", "[fd00::4]:50888", "x-siderolink-ipv6-addr")
	size := set.Int("size", 1400, "bytes of a packet")
	inFlight := set.Int("in-flight", 100, "packets on the way")
	seconds := set.Float64("seconds", 3, "how long")
	warm := set.Float64("warm-up", 0.5, "seconds before the count starts")

	if err := set.Parse(args); err != nil {
		return err
	}

	conn, err := grpc.NewClient("passthrough:///"+*to, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}

	defer conn.Close() //nolint:errcheck

	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(ctx, metadata.Pairs(wggrpc.PeerAddrKey, *header)))
	defer cancel()

	stream, err := pb.NewWireGuardOverGRPCServiceClient(conn).CreateStream(ctx)
	if err != nil {
		return err
	}

	room := make(chan struct{}, *inFlight)

	go func() {
		packet := &pb.PeerPacket{Data: make([]byte, *size)}

		for {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}

			if stream.Send(packet) != nil {
				return
			}
		}
	}()

	counted, started := 0, time.Time{}
	begin := time.Now().Add(time.Duration(*warm * float64(time.Second)))
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))

	for {
		packet, err := stream.Recv()
		if err != nil {
			return err
		}

		if len(packet.GetData()) != *size {
			return fmt.Errorf("%d bytes came back", len(packet.GetData()))
		}

		<-room

		now := time.Now()

		switch {
		case started.IsZero() && now.After(begin):
			started = now
		case !started.IsZero():
			counted++
		}

		if now.After(end) {
			say(fact{"event": "done", "perSecond": float64(counted) / now.Sub(started).Seconds(), "packets": counted})

			return nil
		}
	}
}
