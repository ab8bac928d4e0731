import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  eventsProto,
  linkProto,
  linkTunnelProto,
  machineEventsProto,
  parseWireguardKey,
  wireguardKeyHex,
} from '@bloomery/wire';
import { createRegistry, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { parseApiEndpoint } from './api-endpoint.ts';
import { swapEndpoints } from './endpoint-order.ts';
import { linkIdentity } from './link-identity.ts';
import { networkPrefix, serverAddressOf, tunnelPrefix } from './network-prefix.ts';
import { type PeerEvent, planPeers } from './plan-peers.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../test/vectors');

function vectors<C>(name: string, run: (c: C) => void, title: (c: C, i: number) => string): void {
  const file = join(root, 'siderolink', `${name}.json`);
  const skip = existsSync(file) ? false : `${file} does not exist`;
  describe(`vectors: siderolink/${name}`, { skip }, () => {
    const cases: readonly C[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
    for (const [i, c] of cases.entries()) it(`case ${i}: ${title(c, i)}`, () => run(c));
  });
}

function isRefused(error: boolean | string | undefined): boolean {
  return error !== undefined && error !== false && error !== '';
}

interface PrefixCase {
  readonly installationID: string;
  readonly installationIDHex?: string;
  readonly prefix: string;
  readonly serverAddress: string;
  readonly serverPrefix: string;
}

vectors<PrefixCase>(
  'prefix',
  (c) => {
    const id = c.installationIDHex === undefined ? c.installationID : Buffer.from(c.installationIDHex, 'hex');
    const prefix = networkPrefix(id, 'siderolink');
    assert.equal(prefix.text, c.prefix);
    assert.equal(serverAddressOf(prefix), c.serverAddress);
    assert.equal(`${serverAddressOf(prefix)}/64`, c.serverPrefix);
  },
  (c) => JSON.stringify(c.installationID),
);

interface SecretCase {
  readonly secretData: Readonly<Record<string, string>>;
  readonly error?: boolean | string;
  readonly publicKey?: string;
  readonly serverAddress?: string;
  readonly subnet?: string;
  readonly uapiPrivateKeyHex?: string;
}

vectors<SecretCase>(
  'secret',
  (c) => {
    if (isRefused(c.error)) {
      assert.throws(() => linkIdentity(c.secretData), { code: 'BLM_LINK_SECRET_INVALID' });
      return;
    }
    const identity = linkIdentity(c.secretData);
    const raw = parseWireguardKey(identity.privateKey);
    assert.deepEqual(
      {
        publicKey: identity.publicKey,
        serverAddress: identity.serverAddress,
        subnet: identity.prefix.text,
        uapiPrivateKeyHex: raw === undefined ? '' : wireguardKeyHex(raw),
      },
      {
        publicKey: c.publicKey,
        serverAddress: c.serverAddress,
        subnet: c.subnet,
        uapiPrivateKeyHex: c.uapiPrivateKeyHex,
      },
    );
  },
  (c) => c.publicKey ?? 'refused',
);

interface EndpointCase {
  readonly logical: readonly string[];
  readonly wire: readonly string[];
  readonly decoded: readonly string[];
}

vectors<EndpointCase>(
  'endpoints',
  (c) => {
    assert.deepEqual(swapEndpoints(c.logical), c.wire);
    assert.deepEqual(swapEndpoints(c.wire), c.decoded);
  },
  (c) => c.logical.join(' '),
);

interface ApiEndpointCase {
  readonly input: string;
  readonly error?: boolean | string;
  readonly host?: string;
  readonly insecure?: boolean;
  readonly joinToken?: string;
  readonly tunnel?: boolean;
}

vectors<ApiEndpointCase>(
  'apiendpoint',
  (c) => {
    if (isRefused(c.error)) {
      assert.throws(() => parseApiEndpoint(c.input), { code: 'BLM_LINK_API_URL_INVALID' });
      return;
    }
    const { input: _, error: __, ...want } = c;
    assert.deepEqual(parseApiEndpoint(c.input), want);
  },
  (c) => c.input,
);

interface WirePeer {
  readonly publicKey: string;
  readonly allowedIPs: readonly string[];
  readonly keepaliveSeconds: number | null;
  readonly endpoint?: string | null;
  readonly remove?: boolean;
  readonly replaceAllowedIPs?: boolean;
}

interface PeersCase {
  readonly name: string;
  readonly error: boolean;
  readonly devicePeers: readonly WirePeer[];
  readonly events: readonly {
    readonly publicKey: string;
    readonly address: string;
    readonly endpoint: string;
    readonly keepaliveSeconds: number | null;
    readonly remove: boolean;
  }[];
  readonly config: readonly WirePeer[] | null;
}

vectors<PeersCase>(
  'peers',
  (c) => {
    const events = c.events.map(({ endpoint, keepaliveSeconds, ...event }): PeerEvent => {
      return {
        ...event,
        ...(endpoint === '' ? {} : { endpoint }),
        ...(keepaliveSeconds === null ? {} : { keepaliveSeconds }),
      };
    });
    const device = c.devicePeers.map((p) => {
      return { publicKey: p.publicKey, allowedIps: p.allowedIPs, keepaliveSeconds: p.keepaliveSeconds ?? 0 };
    });
    if (c.error) {
      assert.throws(() => planPeers(events, device));
      return;
    }
    const got = planPeers(events, device).map((p): WirePeer => {
      return {
        allowedIPs: p.allowedIps,
        endpoint: p.endpoint ?? null,
        keepaliveSeconds: p.keepaliveSeconds ?? null,
        publicKey: p.publicKey,
        remove: p.remove,
        replaceAllowedIPs: p.replaceAllowedIps,
      };
    });
    assert.deepEqual(got, c.config ?? []);
  },
  (c) => c.name,
);

interface ProtoCase {
  readonly hex: string;
  readonly type: string;
  readonly json?: JsonValue;
  readonly actor_id?: string;
  readonly id?: string;
  readonly typeUrl?: string;
  readonly payload?: JsonValue;
}

const registry = createRegistry(
  linkProto.file_link_provision,
  linkTunnelProto.file_link_wireguard_over_grpc,
  eventsProto.file_events_events,
  machineEventsProto.file_machine_machine_events,
);

vectors<ProtoCase>(
  'proto',
  (c) => {
    const schema = registry.getMessage(c.type);
    assert.ok(schema, `${c.type} is not one of our messages`);
    const json = c.json ?? eventJson(c);
    const message = fromJson(schema, json, { registry });
    assert.equal(Buffer.from(toBinary(schema, message)).toString('hex'), c.hex);
    const back = fromBinary(schema, Buffer.from(c.hex, 'hex'));
    assert.deepEqual(toJson(schema, back, { registry, useProtoFieldName: true }), withoutEmpty(json));
  },
  (c) => `${c.type} ${c.typeUrl ?? ''}`,
);

function eventJson(c: ProtoCase): JsonValue {
  const payload = typeof c.payload === 'object' && !Array.isArray(c.payload) ? c.payload : {};
  return {
    actor_id: c.actor_id ?? '',
    id: c.id ?? '',
    ...(c.typeUrl === undefined ? {} : { data: { '@type': c.typeUrl, ...payload } }),
  };
}

/** JSON output leaves out implicit zero values; of the vectors only `actor_id` is one. */
function withoutEmpty(json: JsonValue): JsonValue {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([key, value]) => key !== 'actor_id' || value !== ''));
}

describe('the prefix of the tunnel', () => {
  it('is the same for every installation', () => {
    assert.equal(tunnelPrefix().text, 'fdae:41e4:649b:9304::/64');
  });
});
