import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { GrpcClient } from '@bloomery/grpc';
import { until } from '@bloomery/ports';
import { encodePeerPackets, linkTunnelProto } from '@bloomery/wire';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpcJs from '@grpc/grpc-js';
import {
  type FakeDevice,
  openRawMachine,
  startFakeDevice,
  startTunnelRig,
  type TunnelRig,
} from './testing/tunnel-rig.ts';

const V1 = '[fdae:41e4:649b:9304::aa]:50888';
const V2 = '[fdae:41e4:649b:9304::bb]:50888';
const packet = (...texts: readonly string[]): Uint8Array => encodePeerPackets(texts.map((text) => Buffer.from(text)));

describe('the tunnel service', () => {
  let device: FakeDevice;
  let rig: TunnelRig;
  let client: GrpcClient;
  beforeEach(async () => {
    device = await startFakeDevice();
    rig = await startTunnelRig(device.port, { limits: { streams: 2 } });
    rig.owners.set(V1, 'server-1').set(V2, 'server-2');
    client = rig.dial();
  });
  afterEach(async () => {
    client.close();
    await rig[Symbol.asyncDispose]();
    await device[Symbol.asyncDispose]();
  });
  const machine = (address: string | undefined): ReturnType<typeof openRawMachine> => openRawMachine(client, address);
  const devicePortOf = (n = 0): number => Number(rig.opened[n]?.split(':')[1]);

  const refused: [name: string, address: string | undefined, status: string][] = [
    ['without an address', undefined, 'INVALID_ARGUMENT'],
    ['with an empty address', '', 'INVALID_ARGUMENT'],
    ['with something else', 'nonsense', 'INVALID_ARGUMENT'],
    ['with an address without port', 'fdae:41e4:649b:9304::aa', 'INVALID_ARGUMENT'],
    ["with nobody's address", '[fdae:41e4:649b:9304::cc]:50888', 'PERMISSION_DENIED'],
    ['with an IPv4 address', '10.0.0.1:50888', 'PERMISSION_DENIED'],
  ];
  for (const [name, address, status] of refused) {
    it(`refuses a stream ${name}: ${status}`, async () => {
      assert.equal(await machine(address).ended, status);
      const { streams, refused: count } = rig.tunnel.counters();
      assert.deepEqual([streams, count], [0, 1]);
    });
  }

  it('refuses streams while WireGuard is down, and above its bound', async () => {
    rig.devicePort = undefined;
    assert.equal(await machine(V1).ended, 'UNAVAILABLE');
    rig.devicePort = device.port;
    const third = '[fdae:41e4:649b:9304::cc]:50888';
    rig.owners.set(third, 'server-3');
    const open = [machine(V1), machine(V2)];
    await Promise.all(open.map(({ call }) => once(call.stream, 'response')));
    assert.equal(await machine(third).ended, 'RESOURCE_EXHAUSTED');
  });

  it('carries datagrams both ways, each with its bounds', async () => {
    const { call, heard } = machine(V1);
    call.stream.write(packet('one', '', 'two'));
    call.stream.write(
      encodePeerPackets([Buffer.alloc(65_536), Buffer.alloc(65_507), Buffer.alloc(65_508), Buffer.from('end')]),
    );
    await until('all arrived', () => device.heard.includes('end'));
    assert.deepEqual(device.heard, ['one', 'two', '65507 bytes', 'end']);
    assert.deepEqual([...device.ports], [devicePortOf()], 'one port for one machine');
    for (const text of ['a', 'b', 'c']) device.send(text, devicePortOf());
    device.send(Buffer.alloc(1_400), devicePortOf());
    await until('answers', () => heard.length === 4);
    assert.deepEqual(heard, ['a', 'b', 'c', '1400 bytes']);
    const { fromMachines, toMachines, dropped } = rig.tunnel.counters();
    assert.deepEqual([fromMachines, toMachines, dropped], [4, 4, 2]);
  });

  it('keeps machines apart, also on one connection', async () => {
    const machines = [machine(V1), machine(V2)];
    await until('both open', () => rig.opened.length === 2);
    for (const [n, { call }] of machines.entries()) call.stream.write(packet(`from ${n}`));
    await until('both heard', () => device.heard.length === 2);
    device.send('to 0', devicePortOf(0));
    device.send('to 1', devicePortOf(1));
    await until('both answered', () => machines.every(({ heard }) => heard.length === 1));
    assert.deepEqual(
      machines.map(({ heard }) => heard),
      [['to 0'], ['to 1']],
    );
    const stranger = await startFakeDevice();
    stranger.send('forged', devicePortOf(0));
    device.send('last', devicePortOf(0));
    await until('the last', () => machines[0]?.heard.length === 2);
    assert.deepEqual(machines[0]?.heard, ['to 0', 'last'], 'only the device is heard');
    await stranger[Symbol.asyncDispose]();
  });

  it('has WireGuard call a machine that does not call by itself, and no other', async () => {
    const patient = await startTunnelRig(device.port, { limits: { callAfterMs: 200 } });
    patient.owners.set(V1, 'server-1').set(V2, 'server-2');
    const dialed = patient.dial();
    const initiation = Buffer.alloc(148);
    initiation[0] = 1;
    openRawMachine(dialed, V1).call.stream.write(encodePeerPackets([initiation]));
    await until('heard', () => device.heard.length === 1);
    openRawMachine(dialed, V2).call.stream.write(packet('data'));
    await until('the call', () => patient.opened.length > 0);
    const [port] = [...device.ports].slice(-1);
    assert.deepEqual(patient.opened, [`127.0.0.1:${port}`]);
    dialed.close();
    await patient[Symbol.asyncDispose]();
  });

  it('lets a second stream replace the first, whatever the way of writing, and keeps the port', async () => {
    const first = machine(V1);
    await until('open', () => rig.opened.length === 1);
    const other = rig.dial();
    const second = openRawMachine(other, '[FDAE:41E4:649B:9304:0::00aa]:50888');
    assert.equal(await first.ended, 'ABORTED');
    device.send('hello', devicePortOf());
    await until('heard', () => second.heard.length === 1);
    assert.equal(rig.opened.length, 1, 'WireGuard knows it at the same endpoint');
    const { streams, opened, replaced } = rig.tunnel.counters();
    assert.deepEqual([streams, opened, replaced], [1, 2, 1]);
    other.close();
    await until('gone', () => rig.tunnel.counters().streams === 0);
  });

  it('gives what waits for the machine to the stream that replaces the first', async () => {
    const first = machine(V1);
    first.call.stream.pause();
    await until('open', () => rig.opened.length === 1);
    const before = rig.tunnel.counters().dropped;
    for (let sent = 0; rig.tunnel.counters().dropped === before; sent += 20) {
      for (let n = 0; n < 20; n++) device.send(Buffer.alloc(1_300), devicePortOf());
      await until('taken', () => rig.tunnel.counters().toMachines >= sent);
    }
    const second = machine(V1);
    await until('what waited', () => second.heard.length >= 100);
    first.call.stream.resume();
    assert.equal(await first.ended, 'ABORTED');
  });

  it('is bounded for a machine that does not read', async () => {
    const slow = machine(V1);
    slow.call.stream.pause();
    await until('open', () => rig.opened.length === 1);
    const total = 6_000;
    for (let sent = 0; sent < total; sent += 20) {
      for (let n = 0; n < 20; n++) device.send(Buffer.alloc(1_300), devicePortOf());
      await until('taken', () => rig.tunnel.counters().toMachines >= sent);
    }
    await until('all taken', () => rig.tunnel.counters().toMachines === total);
    const { dropped } = rig.tunnel.counters();
    assert.ok(dropped > total / 2, `${dropped} of ${total} dropped`);
    slow.call.stream.resume();
    await until('the rest', () => slow.heard.length === total - dropped);
    device.send('again', devicePortOf());
    await until('still open', () => slow.heard.at(-1) === 'again');
  });

  it('ends the stream of an address that is taken away, and no other', async () => {
    const first = machine(V1);
    const second = machine(V2);
    await until('open', () => rig.opened.length === 2);
    rig.owners.delete(V1);
    rig.tunnel.revoke(V1);
    rig.tunnel.revoke('[fdae:41e4:649b:9304::cc]:50888');
    assert.equal(await first.ended, 'PERMISSION_DENIED');
    assert.equal(await machine(V1).ended, 'PERMISSION_DENIED');
    second.call.stream.write(packet('here'));
    await until('the other one', () => device.heard.includes('here'));
    assert.equal(rig.tunnel.counters().streams, 1);
  });

  const broken: [name: string, bytes: string, status: string][] = [
    ['a compressed message', '01000000021200', 'UNIMPLEMENTED'],
    ['no PeerPacket', '00000000021280', 'INTERNAL'],
    ['a message of 4 GiB', '00ffffffff', 'RESOURCE_EXHAUSTED'],
  ];
  for (const [name, bytes, status] of broken) {
    it(`ends a stream that brings ${name}: ${status}`, async () => {
      const { call, ended } = machine(V1);
      call.stream.write(Buffer.concat([packet('good'), Buffer.from(bytes, 'hex'), packet('bad')]));
      assert.equal(await ended, status);
      await until('the good one', () => device.heard.length === 1);
      assert.deepEqual(device.heard, ['good']);
      assert.equal(rig.tunnel.counters().streams, 0);
    });
  }

  it('ends with OK when the machine ends, and forgets a machine whose connection is lost', async () => {
    const polite = machine(V1);
    polite.call.stream.end(packet('bye'));
    assert.equal(await polite.ended, 'OK');
    machine(V1);
    await until('open again', () => rig.tunnel.counters().streams === 1);
    client.close();
    await until('forgotten', () => rig.tunnel.counters().streams === 0);
  });

  it('follows WireGuard to another port, and counts what comes while it is down', async () => {
    const { call, heard } = machine(V1);
    call.stream.write(packet('first'));
    await until('first', () => device.heard.length === 1);
    rig.devicePort = undefined;
    call.stream.write(packet('lost'));
    await until('counted', () => rig.tunnel.counters().dropped === 1);
    const next = await startFakeDevice();
    rig.devicePort = next.port;
    call.stream.write(packet('second'));
    await until('second', () => next.heard.length === 1);
    next.send('answer', devicePortOf());
    await until('answer', () => heard.length === 1);
    assert.equal(rig.opened.length, 1);
    rig.tunnel.deviceIsUp();
    assert.deepEqual(rig.opened, [rig.opened[0], rig.opened[0]], 'the same endpoint again');
    await next[Symbol.asyncDispose]();
    call.stream.write(packet('nobody', 'there'));
    call.stream.write(packet('at all'));
    rig.devicePort = device.port;
    call.stream.write(packet('back'));
    await until('back', () => device.heard.includes('back'));
  });

  it('opens and closes a hundred times without leaving a socket behind', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'UDPWRAP').length;
    for (let n = 0; n < 100; n++) {
      const { call, ended } = machine(V1);
      call.stream.end();
      assert.equal(await ended, 'OK');
    }
    await until(
      'all sockets closed',
      () => process.getActiveResourcesInfo().filter((name) => name === 'UDPWRAP').length <= before,
    );
  });

  it('logs whose tunnels come and go, never what lets them in', async () => {
    machine(V1);
    await until('open', () => rig.opened.length === 1);
    const { ended } = machine(V1);
    await until('replaced', () => rig.logged.length === 2);
    assert.equal(await machine('[fdae:41e4:649b:9304::cc]:50888').ended, 'PERMISSION_DENIED');
    rig.tunnel.revoke(V1);
    assert.equal(await ended, 'PERMISSION_DENIED');
    const lines = rig.logged.map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ event, server }) => `${event} ${server}`),
      ['tunnel.opened server-1', 'tunnel.replaced server-1', 'tunnel.closed server-1'],
    );
    assert.doesNotMatch(rig.logged.join(), /9304/);
  });

  it('ends all streams when it stops', async () => {
    const { ended } = machine(V1);
    await until('open', () => rig.opened.length === 1);
    rig.tunnel[Symbol.dispose]();
    assert.equal(await ended, 'UNAVAILABLE');
  });

  it('serves @grpc/grpc-js with the generated messages', async () => {
    const peer = new grpcJs.Client(`127.0.0.1:${rig.port}`, grpcJs.credentials.createInsecure());
    const metadata = new grpcJs.Metadata();
    metadata.set('x-siderolink-ipv6-addr', V1);
    const schema = linkTunnelProto.PeerPacketSchema;
    const stream = peer.makeBidiStreamRequest(
      '/sidero.link.WireGuardOverGRPCService/CreateStream',
      (text: string) => Buffer.from(toBinary(schema, create(schema, { Data: Buffer.from(text) }))),
      (bytes: Buffer) => Buffer.from(fromBinary(schema, bytes).Data).toString(),
      metadata,
    );
    const heard: string[] = [];
    stream.on('data', (text: string) => heard.push(text));
    for (let n = 0; n < 50; n++) stream.write(`packet ${n}`);
    await until('all there', () => device.heard.length === 50);
    for (let n = 0; n < 50; n++) device.send(`answer ${n}`, devicePortOf());
    await until('all back', () => heard.length === 50);
    assert.deepEqual(
      device.heard,
      Array.from({ length: 50 }, (_, n) => `packet ${n}`),
    );
    assert.deepEqual(
      heard,
      Array.from({ length: 50 }, (_, n) => `answer ${n}`),
    );
    stream.end();
    const [status] = await once(stream, 'status');
    assert.equal(status.code, grpcJs.status.OK);
    peer.close();
  });
});
