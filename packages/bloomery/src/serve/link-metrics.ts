import type { LinkMetrics } from '@bloomery/plane';
import type { Registry } from 'prom-client';
import { addLevel, addLevels, addTotal, addTotals } from './read-metrics.ts';

/** Metrics of SideroLink. `read` is asked when somebody asks for the metrics; undefined: the link is not started yet. */
export function addLinkMetrics(registers: Registry[], read: () => LinkMetrics | undefined): void {
  addLevels(
    registers,
    {
      name: 'bloomery_siderolink_peers',
      help: 'Machines with a link address: up (a handshake in the last 275 s), stale, or never heard.',
      label: 'state',
    },
    () => ({ ...read()?.peers }),
  );
  addTunnelMetrics(registers, () => read()?.tunnels);
  const seen = 'by the looks at the device, every 10 to 30 s';
  addTotal(
    registers,
    { name: 'bloomery_siderolink_received_bytes_total', help: `Bytes from machines over WireGuard, ${seen}.` },
    () => read()?.receivedBytes ?? 0,
  );
  addTotal(
    registers,
    { name: 'bloomery_siderolink_sent_bytes_total', help: `Bytes to machines over WireGuard, ${seen}.` },
    () => read()?.sentBytes ?? 0,
  );
  addTotal(
    registers,
    { name: 'bloomery_siderolink_handshakes_total', help: `WireGuard handshakes, ${seen}.` },
    () => read()?.handshakes ?? 0,
  );
}

function addTunnelMetrics(registers: Registry[], read: () => LinkMetrics['tunnels'] | undefined): void {
  addLevel(
    registers,
    { name: 'bloomery_siderolink_tunnels', help: 'Machines whose WireGuard goes through gRPC now.' },
    () => read()?.streams ?? 0,
  );
  addTotals(
    registers,
    {
      name: 'bloomery_siderolink_tunnel_streams_total',
      help: 'Tunnels of machines that were opened, refused, or replaced by a newer one of the same machine.',
      label: 'result',
    },
    () => {
      const tunnels = read();
      if (tunnels === undefined) return {};
      const { opened, refused, replaced } = tunnels;
      return { opened, refused, replaced };
    },
  );
  addTotals(
    registers,
    {
      name: 'bloomery_siderolink_tunnel_packets_total',
      help: 'WireGuard packets that went through tunnels, or were dropped: too large, the device down, or the machine too slow.',
      label: 'direction',
    },
    () => {
      const tunnels = read();
      if (tunnels === undefined) return {};
      const { fromMachines, toMachines, dropped } = tunnels;
      return { from_machines: fromMachines, to_machines: toMachines, dropped };
    },
  );
}
