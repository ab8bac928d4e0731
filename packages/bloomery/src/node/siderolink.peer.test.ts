import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { makeNeighbour } from '../testing/client-run.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { type NodeProcess, startNode, TALOSCTL } from '../testing/node-process.ts';
import { type TestNamespace, whyNoLinkNamespace } from '../testing/test-namespace.ts';

const BY_UDP = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const BY_TUNNEL = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const V1ALPHA1 = 'version: v1alpha1\nmachine:\n  type: worker\n  network: {}\n';

type Json = Readonly<Record<string, unknown>>;

describe('the node daemon on the link of a plane', { skip: TALOSCTL.missing || whyNoLinkNamespace() }, () => {
  let plane: LinkPlane;
  let near: TestNamespace;
  let node: NodeProcess | undefined;

  before(async () => {
    plane = await startLinkPlane();
    near = makeNeighbour(plane.namespace, '10.98.8');
    for (const name of [BY_UDP, BY_TUNNEL]) await plane.allocate(name);
  });
  after(async () => {
    await node?.stop();
    node?.clean();
    near?.end();
    await plane?.end();
  });

  const start = async (uuid: string, config: string, cmdline: string): Promise<NodeProcess> => {
    const namespace = { name: near.within.at(-1) ?? '', run: near.run, end: near.end };
    node = await startNode(namespace, { config, args: ['--uuid', uuid, '--cmdline', cmdline] });
    return node;
  };
  const end = async (): Promise<void> => {
    assert.equal(await node?.stop(), 0, node?.stderr());
    assert.doesNotMatch(node?.stderr() ?? '', /"level":"(warn|error)"/);
    node?.clean();
    node = undefined;
    assert.doesNotMatch(near.run('ip', 'link', 'show'), /siderolink/);
  };
  /** Specs by id, as `talosctl get TYPE -o json` prints them. */
  const get = (of: NodeProcess, type: string, ...more: readonly string[]): Readonly<Record<string, Json>> => {
    const { code, stdout, stderr } = of.talosctl(['get', type, '-o', 'json', ...more]);
    assert.equal(code, 0, stderr);
    const found = JSON.parse(`[${stdout.trim().replaceAll(/^\}\n\{/gm, '},{')}]`) as readonly {
      readonly metadata: { readonly id: string };
      readonly spec: Json;
    }[];
    return Object.fromEntries(found.map(({ metadata, spec }) => [metadata.id, spec]));
  };
  const connected = (of: NodeProcess): Promise<Json> =>
    until(
      'the link stands',
      () => {
        const status = get(of, 'siderolinkstatuses')['siderolink-status'];
        return status?.['connected'] === true && status;
      },
      { deadlineMs: 30_000, explain: of.stderr },
    );

  it('joins by UDP as the kernel argument says, and shows it to talosctl', async () => {
    const daemon = await start(BY_UDP, V1ALPHA1, `siderolink.api=${plane.api}`);
    const [host = ''] = plane.api.split(':');
    assert.deepEqual(await connected(daemon), { host, connected: true, linkName: 'siderolink', grpcTunnel: false });
    assert.deepEqual(get(daemon, 'siderolinkconfigs')['siderolink'], {
      apiEndpoint: plane.api,
      host: plane.api,
      joinToken: '',
      insecure: true,
      tunnel: false,
    });
    const address = (await plane.binding(BY_UDP)).spec?.siderolink?.address ?? '';
    assert.notEqual(address, '');
    await until('its link is among the links', () => get(daemon, 'links')['siderolink']?.['mtu'] === 1280);
    await until(
      'its address is among the addresses',
      () => get(daemon, 'addresses')[`siderolink/${address}`] !== undefined,
    );
    assert.equal(get(daemon, 'addressspecs')[`siderolink/${address}`]?.['layer'], 'operator');
    const spec = get(daemon, 'linkspecs')['siderolink'];
    assert.deepEqual([spec?.['logical'], spec?.['mtu'], spec?.['layer']], [false, 1280, 'operator']);
    assert.match(near.run('ip', '-6', 'address', 'show', 'dev', 'siderolink'), new RegExp(address));
    assert.deepEqual(get(daemon, 'siderolinktunnels'), {});
    const token = JSON.parse(readFileSync(join(daemon.dir, 'meta.json'), 'utf8'))['0x10'];
    assert.equal(typeof token, 'string');
    assert.doesNotMatch(daemon.stderr(), new RegExp(token));
    await end();
  });

  it('joins through the tunnel as a document says, and sends its log and its events', async () => {
    const documents = [
      V1ALPHA1,
      `apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://${plane.api}?grpc_tunnel=true\n`,
    ];
    const daemon = await start(BY_TUNNEL, documents.join('---\n'), '');
    const status = await connected(daemon);
    assert.deepEqual([status['linkName'], status['grpcTunnel']], ['siderolinktun', true]);
    const tunnel = get(daemon, 'siderolinktunnels')['siderolink-tunnel'];
    assert.deepEqual([tunnel?.['linkName'], tunnel?.['mtu']], ['siderolinktun', 1280]);
    assert.match(String(tunnel?.['nodeAddress']), /^\[[0-9a-f:]+\]:\d+$/);
    const virtual = String(tunnel?.['nodeAddress']).slice(1, -1).split(']')[0] ?? '';
    assert.equal(daemon.stderr().includes(virtual), false);

    // The configuration may name the sinks later: nothing has to be joined again for that.
    const { serverAddress } = await serverOf(plane, BY_TUNNEL);
    const sinks = [
      `apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[${serverAddress}]:4002"\n`,
      `apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote-log\nurl: "tcp://[${serverAddress}]:4001"\n`,
    ];
    const { code, stderr } = applyConfig(daemon, [...documents, ...sinks].join('---\n'));
    assert.equal(code, 0, stderr);
    const word = `bloomery-node-test-${process.pid}`;
    appendFileSync('/dev/kmsg', `<6>${word}\n`);
    const line = await plane.logged('the kernel log line', ({ msg }) => String(msg).includes(word));
    assert.equal(line['server_uuid'], BY_TUNNEL);
    await until('its address is known to the plane', async () => {
      const { spec } = await plane.binding(BY_TUNNEL);
      return spec?.addresses?.includes('10.98.8.2') === true;
    });
    await end();
  });

  it('leaves when the configuration names no API any more', async () => {
    const document = `apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://${plane.api}\n`;
    const daemon = await start(BY_UDP, `${V1ALPHA1}---\n${document}`, '');
    await connected(daemon);
    assert.equal(applyConfig(daemon, V1ALPHA1).code, 0);
    await until('the interface is gone', () => !near.run('ip', 'link', 'show').includes('siderolink'));
    await until('the resources are gone', () => Object.keys(get(daemon, 'siderolinkstatuses')).length === 0);
    await end();
  });
});

function applyConfig(node: NodeProcess, config: string): { readonly code: number | null; readonly stderr: string } {
  const file = join(node.dir, 'next.yaml');
  appendFileSync(file, config, { flag: 'w' });
  return node.talosctl(['apply-config', '--mode', 'no-reboot', '-f', file]);
}

/** The plane's own address on the link: the first one of the network of a machine's. */
async function serverOf(plane: LinkPlane, name: string): Promise<{ readonly serverAddress: string }> {
  const address = (await plane.binding(name)).spec?.siderolink?.address ?? '';
  const network = address
    .replace(/\/\d+$/, '')
    .split(':')
    .slice(0, 4)
    .join(':');
  return { serverAddress: `${network}::1` };
}
