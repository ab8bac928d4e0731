package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc"
)

// node is one upstream-like machine that does what its orders say.
type node struct {
	joining joining
	api     *grpc.ClientConn
	link    *link
	logs    net.Conn
	sink    *grpc.ClientConn
	held    []net.Conn
	streams map[string]*rawStream
}

// runNode joins (unless told to wait) and takes orders. It says what becomes of it:
//
//	{"event":"provisioned","address":…,"server":…,"endpoints":[…],"tunnel":…,"privateKey":…}
//	{"event":"refused","code":"NotFound","message":…}
//	{"event":"relay-ended",…}
func runNode(ctx context.Context, args []string) error {
	n := &node{streams: map[string]*rawStream{}}
	set := flag.NewFlagSet("node", flag.ExitOnError)
	n.joining.flags(set)
	wait := set.Bool("wait", false, "join only when told to")
	retry := set.Duration("retry", 0, "ask again after a refusal; 0: not")

	if err := set.Parse(args); err != nil {
		return err
	}

	var err error
	if n.api, err = n.joining.dial(); err != nil {
		return err
	}

	for !*wait {
		answer := n.join(ctx, order{Key: n.joining.key})
		say(answer)

		if answer["event"] == "provisioned" || *retry == 0 {
			break
		}

		select {
		case <-time.After(*retry):
		case <-ctx.Done():
			return nil
		}
	}

	defer func() {
		if n.link != nil {
			n.link.close()
		}
	}()

	return takeOrders(ctx, func(o order) fact { return n.obey(ctx, o) })
}

// join asks for an address, with a new key unless the order has one, and replaces the link.
func (n *node) join(ctx context.Context, o order) fact {
	n.joining.key = o.Key

	key, err := n.joining.privateKey()
	if err != nil {
		return fact{"event": "refused", "code": "InvalidArgument", "message": err.Error()}
	}

	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	started := time.Now()

	response, err := n.joining.provision(ctx, n.api, key)
	if err != nil {
		return refusal(fact{"event": "refused"}, err)
	}

	took := time.Since(started)

	n.leave()

	n.link, err = openLink(key, response, linkOptions{relay: n.api, ended: func(err error) {
		say(refusal(fact{"event": "relay-ended"}, err))
	}})
	if err != nil {
		return refusal(fact{"event": "refused"}, err)
	}

	go n.echo(n.link)

	return fact{
		"event": "provisioned", "address": n.link.address, "server": n.link.server, "endpoints": response.GetEndpoints(),
		"prefix": response.GetNodeAddressPrefix(), "tunnel": n.link.virtual != "", "privateKey": key.String(),
		"publicKey": key.PublicKey().String(), "serverPublicKey": response.GetServerPublicKey(), "ms": took.Milliseconds(),
	}
}

func (n *node) leave() {
	if n.link == nil {
		return
	}

	if n.logs != nil {
		n.logs.Close() //nolint:errcheck
		n.logs = nil
	}

	if n.sink != nil {
		n.sink.Close() //nolint:errcheck
		n.sink = nil
	}

	n.link.close()
	n.link = nil
}

// echo is what Talos has its API for: the server's way to the node.
func (n *node) echo(l *link) {
	listener, err := l.net.ListenTCP(&net.TCPAddr{Port: 50000})
	if err != nil {
		say(fact{"event": "no-listener", "error": err.Error()})

		return
	}

	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}

		go func() {
			defer conn.Close()  //nolint:errcheck
			io.Copy(conn, conn) //nolint:errcheck
		}()
	}
}

// at is an address on the link; without a host it is the server's.
func (n *node) at(address string, port uint16) (netip.AddrPort, error) {
	if n.link == nil {
		return netip.AddrPort{}, fmt.Errorf("there is no link")
	}

	if address == "" {
		return netip.AddrPortFrom(n.link.server, port), nil
	}

	return netip.ParseAddrPort(address)
}

func (n *node) dial(ctx context.Context, to netip.AddrPort, timeoutMs int) (net.Conn, error) {
	if timeoutMs == 0 {
		timeoutMs = 20_000
	}

	ctx, cancel := context.WithTimeout(ctx, time.Duration(timeoutMs)*time.Millisecond)
	defer cancel()

	return n.link.net.DialContextTCPAddrPort(ctx, to)
}
