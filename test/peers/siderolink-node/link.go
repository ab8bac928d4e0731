package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	pb "github.com/siderolabs/siderolink/api/siderolink"
	"github.com/siderolabs/siderolink/pkg/wgtunnel/wgbind"
	"github.com/siderolabs/siderolink/pkg/wgtunnel/wggrpc"
	"github.com/siderolabs/siderolink/pkg/wireguard"
	"go.uber.org/zap"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
	"google.golang.org/grpc"
)

// link is a node's end: wireguard-go with a network stack in this process, so it needs no rights.
type link struct {
	key     wgtypes.Key
	address netip.Addr
	server  netip.Addr
	virtual string
	dev     *device.Device
	net     *netstack.Net
	stop    func()
}

// linkOptions is how the packets travel.
type linkOptions struct {
	bind  conn.Bind        // for UDP; nil: wireguard-go's own
	relay *grpc.ClientConn // for the tunnel
	ended func(err error)  // the relay has ended by itself
}

// openLink makes the device of an answered Provision call.
func openLink(key wgtypes.Key, response *pb.ProvisionResponse, options linkOptions) (*link, error) {
	prefix, err := netip.ParsePrefix(response.GetNodeAddressPrefix())
	if err != nil {
		return nil, err
	}

	server, err := netip.ParseAddr(response.GetServerAddress())
	if err != nil {
		return nil, err
	}

	serverKey, err := wgtypes.ParseKey(response.GetServerPublicKey())
	if err != nil {
		return nil, err
	}

	tun, stack, err := netstack.CreateNetTUN([]netip.Addr{prefix.Addr()}, nil, wireguard.LinkMTU)
	if err != nil {
		return nil, err
	}

	l := &link{key: key, address: prefix.Addr(), server: server, net: stack, virtual: response.GetGrpcPeerAddrPort(), stop: func() {}}
	endpoint := response.GetEndpoints()[0]
	bind := options.bind

	if l.virtual != "" {
		if options.relay == nil {
			return nil, errors.New("the answer asks for the tunnel, which is not wanted")
		}

		if endpoint != l.virtual {
			return nil, fmt.Errorf("endpoint %q is not the virtual address", endpoint)
		}

		queues := wgbind.NewQueuePair(100, 100)
		bind = wgbind.NewClientBind(queues, zap.NewNop())
		l.stop, err = runRelay(options, queues, l.virtual)

		if err != nil {
			return nil, err
		}
	} else {
		resolved, err := net.ResolveUDPAddr("udp", endpoint)
		if err != nil {
			return nil, err
		}

		endpoint = resolved.String()
	}

	if bind == nil {
		bind = conn.NewDefaultBind()
	}

	l.dev = device.NewDevice(tun, bind, &device.Logger{Verbosef: device.DiscardLogf, Errorf: device.DiscardLogf})

	conf := fmt.Sprintf("private_key=%s\nreplace_peers=true\npublic_key=%s\nendpoint=%s\nallowed_ip=%s/128\npersistent_keepalive_interval=25\n",
		hex.EncodeToString(key[:]), hex.EncodeToString(serverKey[:]), endpoint, server)

	if err := l.dev.IpcSet(conf); err != nil {
		return nil, err
	}

	return l, l.dev.Up()
}

// runRelay is upstream's relay, started anew 5 s after it ended for good, as Talos does.
func runRelay(options linkOptions, queues *wgbind.QueuePair, virtual string) (func(), error) {
	at, err := netip.ParseAddrPort(virtual)
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithCancel(context.Background())

	go func() {
		for ctx.Err() == nil {
			err := wggrpc.NewRelay(options.relay, 5*time.Second, queues, at).Run(ctx, zap.NewNop())
			if ctx.Err() != nil {
				return
			}

			if options.ended != nil {
				options.ended(err)
			}

			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
			}
		}
	}()

	return cancel, nil
}

func (l *link) close() {
	l.stop()
	l.dev.Close()
}

// peerState is what the device says of the server.
type peerState struct {
	lastHandshake time.Time
	rx, tx        int64
	endpoint      string
}

func (l *link) state() (peerState, error) {
	text, err := l.dev.IpcGet()
	if err != nil {
		return peerState{}, err
	}

	var (
		s         peerState
		sec, nsec int64
	)

	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, "=")
		number, _ := strconv.ParseInt(value, 10, 64) //nolint:errcheck

		switch name {
		case "last_handshake_time_sec":
			sec = number
		case "last_handshake_time_nsec":
			nsec = number
		case "rx_bytes":
			s.rx = number
		case "tx_bytes":
			s.tx = number
		case "endpoint":
			s.endpoint = value
		}
	}

	if sec > 0 {
		s.lastHandshake = time.Unix(sec, nsec)
	}

	return s, nil
}

// smallBind is one IPv4 socket without batches: a thousand devices in one process stay small. It counts handshakes.
type smallBind struct {
	socket      *net.UDPConn
	initiations *atomic.Int64
}

type smallEndpoint struct{ conn.StdNetEndpoint }

func (b *smallBind) Open(uint16) ([]conn.ReceiveFunc, uint16, error) {
	socket, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return nil, 0, err
	}

	b.socket = socket
	receive := func(packets [][]byte, sizes []int, eps []conn.Endpoint) (int, error) {
		n, from, err := socket.ReadFromUDPAddrPort(packets[0])
		if err != nil {
			return 0, err
		}

		sizes[0] = n
		eps[0] = &smallEndpoint{conn.StdNetEndpoint{AddrPort: from}}

		return 1, nil
	}

	return []conn.ReceiveFunc{receive}, uint16(socket.LocalAddr().(*net.UDPAddr).Port), nil
}

func (b *smallBind) Send(bufs [][]byte, ep conn.Endpoint) error {
	to := ep.(*smallEndpoint).AddrPort //nolint:errcheck,forcetypeassert

	for _, buf := range bufs {
		if len(buf) == device.MessageInitiationSize && buf[0] == device.MessageInitiationType {
			b.initiations.Add(1)
		}

		if _, err := b.socket.WriteToUDPAddrPort(buf, to); err != nil {
			return err
		}
	}

	return nil
}

func (b *smallBind) ParseEndpoint(text string) (conn.Endpoint, error) {
	at, err := netip.ParseAddrPort(text)

	return &smallEndpoint{conn.StdNetEndpoint{AddrPort: at}}, err
}

func (b *smallBind) BatchSize() int       { return 1 }
func (b *smallBind) SetMark(uint32) error { return nil }

func (b *smallBind) Close() error {
	if b.socket == nil {
		return nil
	}

	return b.socket.Close()
}
