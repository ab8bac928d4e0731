package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/siderolabs/siderolink/api/siderolink"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
	"google.golang.org/grpc"
)

// fleet is many machines in one process.
type fleet struct {
	joining     joining
	interval    time.Duration
	up          atomic.Int64
	lines       atomic.Int64
	provisions  atomic.Int64
	initiations atomic.Int64
	epoch       atomic.Int64
	mu          sync.Mutex
	downs       map[string]int
}

// runNodes keeps many machines linked over UDP or the tunnel, each with a connection to the log receiver and a line per interval.
// A machine is up while it has a connection that was made after the newest `mark`. Each second that something changed it says
// {"event":"count","up":…,"provisions":…,"initiations":…} with what happened in that second, and {"event":"all-up","seconds":…}
// with the time since the start or the mark. Orders: mark, lines {lines sent so far}.
func runNodes(ctx context.Context, args []string) error {
	f := &fleet{downs: map[string]int{}}
	set := flag.NewFlagSet("nodes", flag.ExitOnError)
	f.joining.flags(set)
	count := set.Int("count", 1000, "machines")
	first := set.Int("first", 0, "number of the first machine")
	set.DurationVar(&f.interval, "interval", time.Second, "between two lines of a machine")
	spread := set.Duration("spread", 3*time.Second, "time over which they start")

	if err := set.Parse(args); err != nil {
		return err
	}

	var since atomic.Int64

	since.Store(time.Now().UnixNano())

	for i := range *count {
		go f.run(ctx, *first+i, time.Duration(i)*(*spread)/time.Duration(*count))
	}

	go f.report(ctx, int64(*count), &since)

	return takeOrders(ctx, func(o order) fact {
		switch o.Do {
		case "mark":
			since.Store(time.Now().UnixNano())
			f.epoch.Add(1)
			f.up.Store(0)

			return fact{"ok": true}
		case "lines":
			f.mu.Lock()
			defer f.mu.Unlock()

			return fact{"ok": true, "lines": f.lines.Load(), "downs": f.downs}
		}

		return fact{"ok": false}
	})
}

func (f *fleet) report(ctx context.Context, count int64, since *atomic.Int64) {
	var up, provisions, initiations, told int64 = -1, 0, 0, 0

	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()

	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}

		at := since.Load()

		if f.up.Load() == count && told != at {
			told = at

			say(fact{"event": "all-up", "seconds": time.Since(time.Unix(0, at)).Seconds()})
		}

		if n%10 != 0 {
			continue
		}

		u, p, i := f.up.Load(), f.provisions.Load(), f.initiations.Load()
		if u != up || p != provisions || i != initiations {
			say(fact{"event": "count", "up": u, "provisions": p - provisions, "initiations": i - initiations})
		}

		up, provisions, initiations = u, p, i
	}
}

// run is the life of one machine: it asks for its address until it gets one, then holds its log connection.
func (f *fleet) run(ctx context.Context, index int, after time.Duration) {
	sleep(ctx, after)

	mine := f.joining
	mine.uuid = uuidAt(index)

	api, err := mine.dial()
	if err != nil {
		f.down("dial", err)

		return
	}

	defer api.Close() //nolint:errcheck

	key, err := mine.privateKey()
	if err != nil {
		return
	}

	// Like Talos' controllers: exponential back-off with jitter.
	for wait := 500 * time.Millisecond; ctx.Err() == nil; wait = min(wait*3/2, time.Minute) {
		response, err := f.provision(ctx, &mine, api, key)
		if err == nil {
			var l *link

			if l, err = openLink(key, response, f.options(api)); err == nil {
				defer l.close()

				f.keepLogging(ctx, l, index)

				return
			}
		}

		f.down("provision", err)
		sleep(ctx, wait/2+rand.N(wait))
	}
}

func (f *fleet) provision(ctx context.Context, mine *joining, api *grpc.ClientConn, key wgtypes.Key) (*pb.ProvisionResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	f.provisions.Add(1)

	return mine.provision(ctx, api, key)
}

func (f *fleet) options(api *grpc.ClientConn) linkOptions {
	return linkOptions{
		bind: &smallBind{initiations: &f.initiations}, relay: api,
		ended: func(err error) { f.down("relay", err) },
	}
}

func (f *fleet) down(where string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()

	text := where
	if err != nil {
		text += ": " + refusal(fact{}, err)["code"].(string) //nolint:forcetypeassert
	}

	f.downs[text]++
}

// keepLogging holds one connection as Talos does: 5 s to write, 1 s before it is made again.
func (f *fleet) keepLogging(ctx context.Context, l *link, index int) {
	for ctx.Err() == nil {
		dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
		conn, err := l.net.DialContextTCPAddrPort(dialing, netip.AddrPortFrom(l.server, logPort))

		cancel()

		if err == nil {
			f.log(ctx, conn, index)
			conn.Close() //nolint:errcheck
		}

		sleep(ctx, time.Second)
	}
}

// log writes a line per interval until the connection is of no use.
func (f *fleet) log(ctx context.Context, conn net.Conn, index int) {
	gone := make(chan struct{})

	go func() {
		defer close(gone)

		conn.Read(make([]byte, 1)) //nolint:errcheck
	}()

	counted := int64(-1)
	defer func() {
		if counted == f.epoch.Load() {
			f.up.Add(-1)
		}
	}()

	born := f.epoch.Load()

	for line := 0; ctx.Err() == nil; line++ {
		conn.SetWriteDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck

		if _, err := conn.Write(logLine(index, 200)); err != nil {
			return
		}

		f.lines.Add(1)

		if counted < 0 && born == f.epoch.Load() {
			counted = born
			f.up.Add(1)
		}

		select {
		case <-gone:
			return
		case <-ctx.Done():
			return
		case <-time.After(f.interval):
		}
	}
}

func sleep(ctx context.Context, howLong time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(howLong):
	}
}
