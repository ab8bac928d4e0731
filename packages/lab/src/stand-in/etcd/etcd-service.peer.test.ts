import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { grpcStatusOf } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { createCertificateAuthority, type PemPair } from '@bloomery/talos';
import { bloomeryCacheDir } from '../../images/cache-dir.ts';
import { writeEtcdCertificates } from './etcd-certificates.ts';
import { createEtcdService, type EtcdService } from './etcd-service.ts';

const program = join(bloomeryCacheDir(process.env), 'peers/etcd');
const whyNot = !existsSync(program) && 'etcd is not built; run make setup';
const isUnavailable = (error: unknown): false => {
  assert.equal(grpcStatusOf(error), 'UNAVAILABLE');
  return false;
};
const WAIT_MS = 30_000;

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(50)) if (await holds()) return;
  assert.fail(`not within ${WAIT_MS} ms: ${what}`);
}

describe('the etcd of a control-plane machine', { skip: whyNot }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-etcd-'));
  const net = `127.${randomInt(10, 250)}.${randomInt(1, 250)}`;
  const services: EtcdService[] = [];
  let authority: PemPair;
  const machine = async (n: number, signer = authority): Promise<EtcdService> => {
    const [name, address] = [`cp-${n}`, `${net}.${n}`];
    const certificates = await writeEtcdCertificates(
      join(dir, name, 'pki'),
      { authority: signer, name, names: [name, address, '127.0.0.1'] },
      systemClock,
    );
    const place = { name, address, dataDir: join(dir, name, 'data'), clusterToken: 'test' };
    const deps = { clock: systemClock, log: silentLog, onChanged: () => {} };
    const service = createEtcdService({ ...place, program, certificates }, deps);
    services.push(service);
    return service;
  };
  const makeAuthority = async (): Promise<PemPair> => {
    const { certificatePem, keyPem } = await createCertificateAuthority({
      subject: { organizations: ['etcd'] },
      algorithm: 'ecdsa-p256',
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
    });
    return { crt: certificatePem, key: keyPem };
  };
  const healthy = (service: EtcdService): Promise<void> => eventually('healthy', () => service.isHealthy());
  const names = async (service: EtcdService): Promise<string[]> =>
    (await service.members()).map((member) => member.hostname).sort();
  let first: EtcdService;
  let second: EtcdService;

  before(async () => {
    authority = await makeAuthority();
    first = await machine(1);
  });
  after(async () => {
    for (const service of services) await service[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('waits until somebody bootstraps it', async () => {
    assert.equal(first.state, 'waiting');
    assert.equal(await first.isHealthy(), false);
    await assert.rejects(first.members(), (error) => grpcStatusOf(error) === 'UNAVAILABLE');
  });
  it('begins a cluster, once', async () => {
    await first.bootstrap();
    await assert.rejects(first.bootstrap(), (error) => grpcStatusOf(error) === 'ALREADY_EXISTS');
    await healthy(first);
    assert.deepEqual(await names(first), ['cp-1']);
    const { memberId, leader, errors } = await first.status();
    assert.deepEqual([memberId, errors], [leader, []]);
  });
  it('lets another machine join through any of the addresses', async () => {
    second = await machine(2);
    await second.join([`${net}.99`, `${net}.1`]);
    await healthy(second);
    assert.deepEqual(await names(second), ['cp-1', 'cp-2']);
  });
  it('hands leadership over, and says to whom', async () => {
    assert.equal(await first.forfeitLeadership(), 'cp-2');
    await eventually('cp-1 follows', async () => (await first.forfeitLeadership()) === '');
  });
  it('answers nobody whose certificate is of another authority', async () => {
    const stranger = await machine(3, await makeAuthority());
    await assert.rejects(stranger.join([`${net}.1`]), (error) => grpcStatusOf(error) === 'UNAVAILABLE');
  });
  it('goes on with its data after it was stopped', async () => {
    await second[Symbol.asyncDispose]();
    second = await machine(2);
    assert.equal(second.state, 'running');
    await healthy(second);
    assert.deepEqual(await names(second), ['cp-1', 'cp-2']);
  });
  it('leaves, takes its data along, and is missed by nobody', async () => {
    // etcd refuses while it is not sure that the others stay healthy.
    await eventually('it may leave', () => second.leave().then(() => true, isUnavailable));
    assert.equal(second.state, 'left');
    assert.equal(existsSync(join(dir, 'cp-2/data')), false);
    await eventually('one is left', async () => (await names(first)).length === 1);
    await healthy(first);
  });
  it('can be left by its last member', async () => {
    await healthy(first);
    await eventually('it may leave', () => first.leave().then(() => true, isUnavailable));
    assert.equal(first.state, 'left');
  });
});
