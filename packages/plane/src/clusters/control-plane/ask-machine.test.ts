import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Machine } from '@bloomery/model';
import { BloomeryError, createFakeClock } from '@bloomery/ports';
import type { TalosApi, TalosNode } from '@bloomery/talos';
import { candidateAddresses, createMachineAsker } from './ask-machine.ts';
import { observedMachine } from './testing/observed.ts';

const CREDENTIALS = { ca: '', crt: '', key: '' };
const KEY = { name: 'm1', namespace: 'default' };
const NOTHING = { withData: false, withVersion: false };

const silence = (code: 'BLM_TALOS_API_UNREACHABLE' | 'BLM_TALOS_API_UNTRUSTED') => async (): Promise<never> => {
  throw new BloomeryError(code, 'no answer');
};
const refusal = async (): Promise<never> => {
  throw new BloomeryError('BLM_TALOS_API_REFUSED', 'etcd does not run', { facts: { status: 'FAILED_PRECONDITION' } });
};

function asker(node: Partial<TalosNode>) {
  const asked: { address: string; timeoutMs: number | undefined }[] = [];
  let untrusted = 0;
  const talos: TalosApi = {
    node: (address, _credentials, options) => {
      asked.push({ address, timeoutMs: options?.timeoutMs });
      return { services: refusal, etcdStatus: refusal, etcdMembers: refusal, ...node } as TalosNode;
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const made = createMachineAsker({ talos, clock: createFakeClock() }).with(CREDENTIALS, () => untrusted++);
  return {
    asked,
    untrusted: () => untrusted,
    ask: (machine: Machine, options = NOTHING) => made.ask(machine, KEY, options),
  };
}

const withAddresses = (...addresses: [type: 'InternalIP' | 'ExternalIP' | 'Hostname', address: string][]): Machine =>
  observedMachine(1, {}, { status: { addresses: addresses.map(([type, address]) => ({ type, address })) } }).machine;

describe('asking a machine', () => {
  it('takes internal addresses before external ones, and no names', () => {
    const machine = withAddresses(
      ['Hostname', 'm'],
      ['ExternalIP', '1.1.1.1'],
      ['InternalIP', '10.0.0.1'],
      ['InternalIP', '10.0.0.1'],
    );
    assert.deepEqual(candidateAddresses(machine), ['10.0.0.1', '1.1.1.1']);
  });

  it('without an address asks nobody', async () => {
    const { ask, asked } = asker({});
    assert.deepEqual(await ask(withAddresses()), { state: 'noAddress' });
    assert.deepEqual(asked, []);
  });

  it('turns to its next address after silence, with less patience', async () => {
    const dead = silence('BLM_TALOS_API_UNREACHABLE');
    const { ask, asked } = asker({ services: dead, etcdStatus: dead, etcdMembers: dead });
    const machine = withAddresses(['InternalIP', '10.0.0.1'], ['ExternalIP', '1.1.1.1']);
    assert.deepEqual(await ask(machine), { state: 'silent', address: '10.0.0.1', why: 'no answer' });
    await ask(machine);
    assert.deepEqual(asked, [
      { address: '10.0.0.1', timeoutMs: 4000 },
      { address: '1.1.1.1', timeoutMs: 1000 },
    ]);
  });

  it('says when it is not trusted', async () => {
    const dead = silence('BLM_TALOS_API_UNTRUSTED');
    const { ask, untrusted } = asker({ services: dead, etcdStatus: dead, etcdMembers: dead });
    assert.equal((await ask(withAddresses(['InternalIP', '10.0.0.1']))).state, 'silent');
    assert.equal(untrusted(), 1);
  });

  it('takes a no for an answer', async () => {
    const { ask } = asker({});
    assert.deepEqual(await ask(withAddresses(['InternalIP', '10.0.0.1'])), {
      state: 'answers',
      address: '10.0.0.1',
      services: undefined,
      etcd: undefined,
      etcdWhy: 'etcd does not run',
      version: undefined,
      hasData: undefined,
    });
  });

  it('does not ask an etcd that does not run, and says what its service says', async () => {
    const never = async (): Promise<never> => assert.fail('etcd was asked');
    const service = { id: 'etcd', state: 'Preparing', healthy: undefined, message: 'waiting for bootstrap' };
    const { ask } = asker({ services: async () => [service], etcdStatus: never, etcdMembers: never });
    const answer = await ask(withAddresses(['InternalIP', '10.0.0.1']));
    assert.ok(answer.state === 'answers');
    assert.deepEqual([answer.etcd, answer.etcdWhy], [undefined, 'its etcd is Preparing: waiting for bootstrap']);
  });

  it('asks for data and version only when they matter', async () => {
    const { ask } = asker({ hasEntries: async () => true, version: async () => ({ tag: 'v1.11.0', platform: '' }) });
    const machine = withAddresses(['InternalIP', '10.0.0.1']);
    const answer = await ask(machine, { withData: true, withVersion: true });
    assert.ok(answer.state === 'answers');
    assert.deepEqual([answer.hasData, answer.version], [true, 'v1.11.0']);
  });
});
