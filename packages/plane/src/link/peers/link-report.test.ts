import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerBinding } from '@bloomery/model';
import { isReportDue, type LinkReport, type LinkSight, linkReport, linkState } from './link-report.ts';

const at = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
const T = 10_000_000;
const sight = (more: Partial<LinkSight>): LinkSight => ({
  mode: 'udp',
  handshakeMs: undefined,
  endpoint: undefined,
  storedHandshakeMs: undefined,
  deviceSinceMs: T - 1_000_000,
  nowMs: T,
  ...more,
});

describe('the state of a machine on the link', () => {
  const cases: [name: string, given: Partial<LinkSight>, want: ReturnType<typeof linkState>][] = [
    ['is never before the first handshake', {}, 'never'],
    ['is up after a handshake', { handshakeMs: T - 274_999 }, 'up'],
    ['is down after 275 s of silence', { handshakeMs: T - 275_000 }, 'down'],
    [
      'is open while a fresh device waits for a machine that was linked',
      { storedHandshakeMs: T - 900_000, deviceSinceMs: T - 274_999 },
      undefined,
    ],
    ['is down when it did not come in 275 s', { storedHandshakeMs: T - 900_000, deviceSinceMs: T - 275_000 }, 'down'],
    ['is open for 275 s without a device', { storedHandshakeMs: T - 274_999, deviceSinceMs: undefined }, undefined],
    ['is down then', { storedHandshakeMs: T - 275_000, deviceSinceMs: undefined }, 'down'],
    ['is up when the machine came again', { storedHandshakeMs: T - 900_000, handshakeMs: T - 1 }, 'up'],
  ];
  for (const [name, given, want] of cases) it(name, () => assert.equal(linkState(sight(given)), want));
});

describe('what the status says of a link', () => {
  const cases: [name: string, given: Partial<LinkSight>, want: LinkReport | undefined][] = [
    [
      'over UDP',
      { handshakeMs: T - 1_000, endpoint: '10.0.0.2:4242' },
      {
        link: 'up',
        lastHandshake: at(T - 1_000),
        linkEndpoint: '10.0.0.2:4242',
        condition: {
          type: 'SideroLinkConnected',
          status: 'True',
          message: `WireGuard over UDP from 10.0.0.2:4242; last handshake ${at(T - 1_000)}`,
        },
      },
    ],
    [
      'through the tunnel, whose end is no endpoint to keep',
      { mode: 'tunnel', handshakeMs: T - 1_000, endpoint: '127.0.0.1:4242' },
      {
        link: 'up',
        lastHandshake: at(T - 1_000),
        linkEndpoint: null,
        condition: {
          type: 'SideroLinkConnected',
          status: 'True',
          message: `WireGuard through the gRPC tunnel; last handshake ${at(T - 1_000)}`,
        },
      },
    ],
    [
      'that is silent',
      { handshakeMs: T - 400_000, endpoint: '10.0.0.2:4242' },
      {
        link: 'down',
        lastHandshake: at(T - 400_000),
        condition: {
          type: 'SideroLinkConnected',
          status: 'False',
          severity: 'Warning',
          reason: 'LinkDown',
          message: `No WireGuard handshake since ${at(T - 400_000)}; next: the machine asks for its address again by itself`,
        },
      },
    ],
    [
      'whose device is down',
      { storedHandshakeMs: T - 400_000, deviceSinceMs: undefined },
      {
        link: 'down',
        lastHandshake: at(T - 400_000),
        condition: {
          type: 'SideroLinkConnected',
          status: 'False',
          severity: 'Warning',
          reason: 'LinkDown',
          message: `No WireGuard handshake since ${at(T - 400_000)}; next: the WireGuard device of this plane is down: see \`bloomery siderolink status\``,
        },
      },
    ],
    [
      'that never was',
      {},
      {
        link: 'never',
        condition: {
          type: 'SideroLinkConnected',
          status: 'False',
          severity: 'Info',
          reason: 'LinkNeverUp',
          message:
            'The machine has its address, but its WireGuard was not heard yet; next: it goes on trying. If UDP is blocked, let it use the tunnel',
        },
      },
    ],
    ['that nobody can tell yet', { storedHandshakeMs: T - 1_000 }, undefined],
  ];
  for (const [name, given, want] of cases) it(name, () => assert.deepEqual(linkReport(sight(given)), want));
});

describe('a report is written', () => {
  const up = (handshakeMs: number, endpoint = '10.0.0.2:1', mode: 'udp' | 'tunnel' = 'udp'): LinkReport => {
    const report = linkReport(sight({ handshakeMs, endpoint, mode, nowMs: handshakeMs + 1 }));
    assert.ok(report);
    return report;
  };
  const stored = ({ condition, linkEndpoint, ...report }: LinkReport): ServerBinding['status'] => ({
    ...report,
    ...(linkEndpoint ? { linkEndpoint } : {}),
    conditions: [{ lastTransitionTime: at(0), ...condition }],
  });
  const never: LinkReport = { link: 'never', condition: { type: 'SideroLinkConnected', status: 'False' } };
  const down: LinkReport = { ...never, link: 'down', lastHandshake: at(T) };
  const long = { firstSeenMs: 0, writtenMs: undefined };
  const cases: [
    name: string,
    have: ServerBinding['status'],
    next: LinkReport,
    history: typeof long | object,
    want: boolean,
  ][] = [
    ['never, at once', undefined, never, { firstSeenMs: T - 29_999 }, false],
    ['never, for half a minute', undefined, never, { firstSeenMs: T - 30_000 }, true],
    ['first handshake', { link: 'never' }, up(T), {}, true],
    ['a fresh handshake', stored(up(T)), up(T + 120_000), {}, false],
    ['a handshake ten minutes later', stored(up(T)), up(T + 600_000), {}, true],
    ['a restarted device', stored(up(T)), never, {}, false],
    ['silence', stored(up(T)), down, {}, true],
    ['another endpoint', stored(up(T)), up(T, '10.0.0.3:1'), {}, true],
    ['another endpoint soon after a write', stored(up(T)), up(T, '10.0.0.3:1'), { writtenMs: T - 29_999 }, false],
    ['another endpoint 30 s after a write', stored(up(T)), up(T, '10.0.0.3:1'), { writtenMs: T - 30_000 }, true],
    ['another end of the tunnel', stored(up(T, '127.0.0.1:1', 'tunnel')), up(T, '127.0.0.1:2', 'tunnel'), {}, false],
    ['the tunnel instead of UDP', stored(up(T)), up(T, '127.0.0.1:2', 'tunnel'), {}, true],
    ['what an earlier version wrote', { link: 'up', lastHandshake: at(T) }, up(T), {}, true],
  ];
  for (const [name, have, next, history, want] of cases) {
    it(`${name}: ${want ? 'yes' : 'no'}`, () =>
      assert.equal(isReportDue(have, next, { ...long, ...history }, T), want));
  }
});
