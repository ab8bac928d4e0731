package main

import (
	"context"
	"fmt"

	pb "github.com/siderolabs/siderolink/api/siderolink"
	"github.com/siderolabs/siderolink/pkg/wgtunnel/wggrpc"
	"google.golang.org/grpc/metadata"
)

// rawStream is a CreateStream call that no WireGuard stands behind.
type rawStream struct {
	stream pb.WireGuardOverGRPCService_CreateStreamClient
	cancel context.CancelFunc
}

// rawStreams opens, feeds and closes them. Their end is told as {"event":"stream-end","name":…,"code":…,"received":…}.
func (n *node) rawStreams(ctx context.Context, o order) (fact, error) {
	if o.Do == "stream" {
		return n.openStream(ctx, o)
	}

	open, ok := n.streams[o.Name]
	if !ok {
		return nil, fmt.Errorf("there is no stream %q", o.Name)
	}

	if o.Do == "stream-close" {
		open.cancel()
		delete(n.streams, o.Name)

		return fact{}, nil
	}

	for _, size := range o.Sizes {
		if err := open.stream.Send(&pb.PeerPacket{Data: make([]byte, size)}); err != nil {
			return nil, err
		}
	}

	return fact{}, nil
}

func (n *node) openStream(ctx context.Context, o order) (fact, error) {
	ctx, cancel := context.WithCancel(ctx)

	switch {
	case o.Header != nil && *o.Header != "":
		ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs(wggrpc.PeerAddrKey, *o.Header))
	case o.Header == nil && n.link != nil:
		ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs(wggrpc.PeerAddrKey, n.link.virtual))
	}

	stream, err := pb.NewWireGuardOverGRPCServiceClient(n.api).CreateStream(ctx)
	if err != nil {
		cancel()

		return nil, err
	}

	n.streams[o.Name] = &rawStream{stream: stream, cancel: cancel}

	go func() {
		received := 0

		for {
			if _, err := stream.Recv(); err != nil {
				say(refusal(fact{"event": "stream-end", "name": o.Name, "received": received}, err))

				return
			}

			received++
		}
	}()

	return fact{}, nil
}
