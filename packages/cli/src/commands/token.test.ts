import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, secret, server, serverBinding } from '@bloomery/model';
import { parseApiEndpoint } from '@bloomery/siderolink';
import { buildCli } from '../build-cli.ts';
import { runCli } from '../run-cli.ts';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { createToken, listTokens, pinToken, resetMachine, revokeTokens } from './token.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const NAME = 'siderolink-join-tokens';
const kept = (annotations: Record<string, string>): { kind: typeof secret; object: object } => ({
  kind: secret,
  object: { apiVersion: 'v1', kind: 'Secret', metadata: { name: NAME, namespace: 'default', annotations }, data: {} },
});
const manager = kept({
  'bloomery.dev/siderolink-api': 'https://[fd00::1]:8081',
  'bloomery.dev/join-token-required': 'true',
});
const servers = [
  {
    kind: server,
    object: {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: A },
      spec: { accepted: true, hostname: 'rack1-u07' },
    },
  },
  {
    kind: serverBinding,
    object: {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'ServerBinding',
      metadata: {
        name: A,
        annotations: { [ANNOTATIONS.siderolinkUniqueToken]: 'sha256:x', [ANNOTATIONS.siderolinkJoinToken]: 'rack' },
      },
    },
  },
];

const session = (...objects: object[]): FakeSession =>
  createFakeSession(objects as Parameters<typeof createFakeSession>[0]);

describe('bloomery token create', () => {
  it('prints the token once, with the kernel argument that holds it', async () => {
    const plane = session(manager);
    await createToken(plane, { name: 'rack', expires: '24h', uses: '3', pin: A.toUpperCase() });
    const lines = plane.out().split('\n');
    const token = /^token {5}([0-9A-Za-z]{43})$/.exec(lines[1] ?? '')?.[1] ?? '';
    assert.deepEqual(lines, [
      'name      rack',
      `token     ${token}`,
      'expires   2026-01-02T12:00:00Z (in 1d)',
      'uses      3',
      `pin       ${A}`,
      `argument  siderolink.api=https://[fd00::1]:8081?jointoken=${token}`,
      '',
    ]);
    const api = parseApiEndpoint(lines[5]?.replace('argument  siderolink.api=', '') ?? '');
    assert.deepEqual(api, { host: '[fd00::1]:8081', insecure: false, joinToken: token, tunnel: false });
  });

  it('is one JSON object for programs, and says what is missing on stderr only', async () => {
    const plane = session(kept({ 'bloomery.dev/join-token-required': 'false' }));
    const running = createToken(plane, { json: true });
    for (let i = 0; i < 20; i++) await plane.clock.advance(200);
    await running;
    const made = JSON.parse(plane.out());
    assert.match(made.name, /^token-[0-9a-f]{8}$/);
    assert.deepEqual(made, {
      apiVersion: 'cli.bloomery.dev/v1',
      kind: 'JoinToken',
      name: made.name,
      created: '2026-01-01T12:00:00Z',
      state: 'valid',
      machines: 0,
      token: made.token,
      argument: `siderolink.api=grpc://HOST:8081?jointoken=${made.token}`,
    });
    assert.match(plane.err(), /put its address in place of HOST\.\n.*without --require-join-token/);
    assert.ok(!plane.err().includes(made.token));
  });

  it('refuses what it cannot read', async () => {
    const usage = { code: 'BLM_CLI_USAGE' };
    for (const bad of [{ expires: 'soon' }, { uses: 'many' }, { uses: '0' }, { name: 'A B' }, { output: 'name' }]) {
      await assert.rejects(createToken(session(manager), bad), usage, JSON.stringify(bad));
    }
    await assert.rejects(createToken(session(manager), { pin: 'nobody' }), { code: 'BLM_CLI_NAME_UNKNOWN' });
  });
});

describe('bloomery token list', () => {
  it('shows what became of the tokens, never their texts', async () => {
    const plane = session(manager, ...servers);
    await createToken(plane, { name: 'rack', expires: '1h', uses: '2' });
    await createToken(plane, { name: 'gone' });
    await revokeTokens(plane, ['gone'], {});
    const before = plane.out().length;
    const token = /^token +(\S+)$/m.exec(plane.out())?.[1] ?? 'none';
    await plane.clock.advance(7_200_000);
    await listTokens(plane, {});
    const table = plane.out().slice(before);
    assert.equal(
      table,
      [
        'NAME   STATE     USES   MACHINES   PIN   EXPIRES                AGE',
        'gone   revoked   -      0          -     never                  2h',
        'rack   expired   0/2    1          -     2026-01-01T13:00:00Z   2h',
        '',
      ].join('\n'),
    );
    await listTokens(plane, { output: 'json' });
    const listed = plane.out().slice(before);
    assert.ok(!listed.includes(token));
    const { kind, required, api, items } = JSON.parse(listed.slice(table.length));
    assert.deepEqual([kind, required, api, items.length], ['JoinTokenList', true, 'https://[fd00::1]:8081', 2]);
    assert.deepEqual(items[1], {
      name: 'rack',
      created: '2026-01-01T12:00:00Z',
      expires: '2026-01-01T13:00:00Z',
      uses: 2,
      state: 'expired',
      used: 0,
      usedBy: [],
      machines: 1,
    });
  });
  it('says that there are none, and which are damaged', async () => {
    const empty = session();
    await listTokens(empty, {});
    assert.deepEqual([empty.out(), empty.err()], ['', 'No join tokens found.\n']);
    const plane = session(manager);
    const body = { data: { 'token.bad': 'eA==' } };
    await plane.client.patch(secret, { name: NAME, namespace: 'default' }, { type: 'merge', body });
    await listTokens(plane, {});
    assert.match(plane.err(), /^token bad is damaged .*revoke bad --delete\n/);
  });
});

describe('bloomery token revoke, pin and reset', () => {
  it('say what they did', async () => {
    const plane = session(manager, ...servers);
    await createToken(plane, { name: 'rack' });
    const before = plane.out().length;
    await pinToken(plane, 'rack', 'rack1-u07');
    await revokeTokens(plane, ['rack'], { delete: true });
    await resetMachine(plane, 'rack1-u07');
    await resetMachine(plane, A);
    assert.equal(
      plane.out().slice(before),
      [
        `token/rack pinned to ${A}`,
        'token/rack revoked and deleted',
        `server/${A} unique token forgotten`,
        `server/${A} has no unique token`,
        '',
      ].join('\n'),
    );
    await assert.rejects(revokeTokens(plane, ['rack'], {}), { code: 'BLM_CLI_NAME_UNKNOWN' });
    await assert.rejects(pinToken(plane, 'rack', A), { code: 'BLM_CLI_NAME_UNKNOWN' });
  });
  it('are found below `token`, whose help names them', async () => {
    const { deps, err, out } = session();
    const program = buildCli(deps);
    assert.equal(await runCli(program, ['token', '--help'], deps), 0);
    for (const verb of ['create', 'list', 'revoke', 'pin', 'reset'])
      assert.match(out(), new RegExp(`^  ${verb} `, 'm'));
    assert.equal(await runCli(buildCli(deps), ['token'], deps), 2);
    assert.equal(await runCli(buildCli(deps), ['token', 'pin', 'x'], deps), 2);
    assert.match(err(), /BLM_CLI_USAGE/);
  });
});
