package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
	"google.golang.org/grpc"
)

// uuidAt is the UUID of the machine with this number; the tests make their ServerBindings alike.
func uuidAt(index int) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", index)
}

// runProvisionLoad asks for the addresses of many machines: {"event":"done","perSecond":…,"p50Ms":…,"p99Ms":…,"refused":{code: n}}.
func runProvisionLoad(ctx context.Context, args []string) error {
	var all joining

	set := flag.NewFlagSet("provision-load", flag.ExitOnError)
	all.flags(set)
	count := set.Int("count", 1000, "machines")
	first := set.Int("first", 0, "number of the first machine")
	parallel := set.Int("parallel", 32, "callers, each with a connection of its own")

	if err := set.Parse(args); err != nil {
		return err
	}

	keys := make([]wgtypes.Key, *count)
	for i := range keys {
		keys[i], _ = wgtypes.GeneratePrivateKey() //nolint:errcheck
	}

	connections := make([]*grpc.ClientConn, *parallel)

	for i := range connections {
		var err error
		if connections[i], err = all.dial(); err != nil {
			return err
		}

		connections[i].Connect()
	}

	var (
		mu      sync.Mutex
		next    int
		took    []float64
		refused = map[string]int{}
		workers sync.WaitGroup
	)

	started := time.Now()

	for _, conn := range connections {
		workers.Go(func() {
			for {
				mu.Lock()
				mine := next
				next++
				mu.Unlock()

				if mine >= *count || ctx.Err() != nil {
					return
				}

				one := all
				one.uuid = uuidAt(*first + mine)
				asked := time.Now()
				_, err := one.provision(ctx, conn, keys[mine])
				ms := float64(time.Since(asked).Microseconds()) / 1000

				mu.Lock()

				if err == nil {
					took = append(took, ms)
				} else {
					refused[refusal(fact{}, err)["code"].(string)]++ //nolint:forcetypeassert
				}

				mu.Unlock()
			}
		})
	}

	workers.Wait()

	seconds := time.Since(started).Seconds()
	slices.Sort(took)

	at := func(part float64) float64 {
		if len(took) == 0 {
			return 0
		}

		return took[int(part*float64(len(took)-1))]
	}

	say(fact{
		"event": "done", "answered": len(took), "perSecond": float64(len(took)) / seconds, "seconds": seconds,
		"p50Ms": at(0.5), "p99Ms": at(0.99), "refused": refused,
	})

	return nil
}
