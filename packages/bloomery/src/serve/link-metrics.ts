import type { LinkMetrics } from '@bloomery/plane';
import type { TunnelCounters } from '@bloomery/siderolink';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Metrics of SideroLink. `read` is asked when somebody asks for the metrics; undefined: the link is not started yet. */
export function addLinkMetrics(registers: Registry[], read: () => LinkMetrics | undefined): void {
  new Gauge({
    name: 'bloomery_siderolink_peers',
    help: 'Machines with a link address: up (a handshake in the last 275 s), stale, or never heard.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const [state, count] of Object.entries(read()?.peers ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'bloomery_siderolink_tunnels',
    help: 'Machines whose WireGuard goes through gRPC now.',
    registers,
    collect() {
      this.set(read()?.tunnels.streams ?? 0);
    },
  });
  const labelled = (
    name: string,
    help: string,
    label: string,
    of: (tunnels: TunnelCounters) => Readonly<Record<string, number>>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        const metrics = read();
        this.reset();
        const values = metrics === undefined ? {} : of(metrics.tunnels);
        for (const [value, count] of Object.entries(values)) this.inc({ [label]: value }, count);
      },
    });
  };
  labelled(
    'bloomery_siderolink_tunnel_streams_total',
    'Tunnels of machines that were opened, refused, or replaced by a newer one of the same machine.',
    'result',
    ({ opened, refused, replaced }) => ({ opened, refused, replaced }),
  );
  labelled(
    'bloomery_siderolink_tunnel_packets_total',
    'WireGuard packets that went through tunnels, or were dropped: too large, the device down, or the machine too slow.',
    'direction',
    ({ fromMachines, toMachines, dropped }) => ({ from_machines: fromMachines, to_machines: toMachines, dropped }),
  );
  const counter = (name: string, help: string, of: (metrics: LinkMetrics) => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        const metrics = read();
        this.reset();
        if (metrics !== undefined) this.inc(of(metrics));
      },
    });
  };
  const seen = 'by the looks at the device, every 10 to 30 s';
  counter(
    'bloomery_siderolink_received_bytes_total',
    `Bytes from machines over WireGuard, ${seen}.`,
    (m) => m.receivedBytes,
  );
  counter('bloomery_siderolink_sent_bytes_total', `Bytes to machines over WireGuard, ${seen}.`, (m) => m.sentBytes);
  counter('bloomery_siderolink_handshakes_total', `WireGuard handshakes, ${seen}.`, (m) => m.handshakes);
}
