import { existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { grpcError } from '@bloomery/grpc';
import type { Clock, Logger } from '@bloomery/ports';
import type { EtcdMember, EtcdStatus } from '@bloomery/talos';
import { type KeptProcess, keepProcess } from '../kept-process.ts';
import { clientUrl, type EtcdBeginning, type EtcdMemberPlace, etcdArguments, peerUrl } from './etcd-arguments.ts';
import type { EtcdCertificates } from './etcd-certificates.ts';
import { createEtcdGateway, type EtcdGateway } from './etcd-gateway.ts';

/** The etcd member of a control-plane machine: a real etcd, and what Talos' API does with it. Failures are gRPC errors. */
export interface EtcdService extends AsyncDisposable {
  /** `waiting`: it has no data, and nobody bootstrapped it or let it join. `left`: it was a member once. */
  readonly state: 'waiting' | 'running' | 'left';
  /** What the program said last, when it does not run. */
  readonly lastWords: string;
  isHealthy(): Promise<boolean>;
  /** Begin a cluster with this member alone. */
  bootstrap(): Promise<void>;
  /** Become a member of the cluster that one of these addresses belongs to. */
  join(addresses: readonly string[]): Promise<void>;
  members(): Promise<readonly EtcdMember[]>;
  status(): Promise<EtcdStatus>;
  removeMember(id: bigint): Promise<void>;
  /** Stop being a member; the data go. */
  leave(): Promise<void>;
  /** Let another member lead. @returns its name, '' when this one did not lead. */
  forfeitLeadership(): Promise<string>;
}

export interface EtcdServiceOptions extends EtcdMemberPlace {
  /** Path of the etcd program. */
  readonly program: string;
  readonly certificates: EtcdCertificates;
}

export interface EtcdServiceDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the program started or ended. */
  readonly onChanged: () => void;
}

/** The member of a machine. Where there are data of an earlier boot, it runs at once. */
export function createEtcdService(options: EtcdServiceOptions, deps: EtcdServiceDeps): EtcdService {
  const { name, address, dataDir, certificates, program } = options;
  let process: KeptProcess | undefined;
  let left = false;
  const gatewayTo = (url: string): EtcdGateway => createEtcdGateway({ url, ...certificates });
  const own = gatewayTo(clientUrl(address));
  const hasData = (): boolean => existsSync(join(dataDir, 'member'));

  const run = (beginning: EtcdBeginning): void => {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    left = false;
    const args = etcdArguments(options, certificates, beginning);
    process = keepProcess({ program, args, onChanged: deps.onChanged }, deps);
  };
  const running = (): EtcdGateway => {
    if (process === undefined) throw grpcError('UNAVAILABLE', 'etcd does not run on this machine');
    return own;
  };
  const mustBeNew = (): void => {
    if (process !== undefined || hasData()) throw grpcError('ALREADY_EXISTS', 'etcd data directory is not empty');
  };
  const stop = async (): Promise<void> => {
    await process?.stop();
    process = undefined;
    deps.onChanged();
  };
  const ownUrl = `${name}=${peerUrl(address)}`;
  if (hasData()) run({ state: 'existing', members: [ownUrl] });

  return {
    get state() {
      return process !== undefined ? 'running' : left ? 'left' : 'waiting';
    },
    get lastWords() {
      return process?.lastWords ?? '';
    },
    isHealthy: async () => process?.pid !== undefined && (await own.isHealthy()),
    async bootstrap() {
      mustBeNew();
      deps.log.info('etcd.bootstrapped', { name });
      run({ state: 'new', members: [ownUrl] });
    },
    async join(addresses) {
      mustBeNew();
      const members = await announce(addresses.map(clientUrl), peerUrl(address), gatewayTo);
      // The member that has not started yet is the one without a name: this one.
      const urls = members.flatMap((member) => member.peerUrls.map((url) => `${member.hostname || name}=${url}`));
      run({ state: 'existing', members: urls });
    },
    members: async () => running().members(),
    status: async () => running().status(),
    removeMember: async (id) => running().removeMember(id),
    async forfeitLeadership() {
      const { memberId, leader } = await running().status();
      if (memberId !== leader) return '';
      const next = (await own.members()).find((member) => member.id !== memberId && !member.isLearner);
      if (next === undefined) return '';
      await own.moveLeader(next.id);
      return next.hostname;
    },
    async leave() {
      const { memberId } = await running().status();
      const others = (await own.members()).filter((member) => member.id !== memberId);
      // The last member has nobody to leave to; its data go all the same, as with Talos' reset.
      if (others.length > 0) await removeThrough(others, memberId, gatewayTo);
      left = true;
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      own[Symbol.dispose]();
    },
  };
}

type Connect = (url: string) => EtcdGateway;

/** Tell a cluster through one of its members that a member comes; one that was announced before is not announced twice. */
async function announce(urls: readonly string[], newPeer: string, connect: Connect): Promise<readonly EtcdMember[]> {
  return throughAny(urls, connect, async (gateway) => {
    const present = await gateway.members();
    const isAnnounced = present.some((member) => member.peerUrls.includes(newPeer));
    return isAnnounced ? present : gateway.addMember(newPeer);
  });
}

/** Another member takes the leaving one away: an answer comes, whatever the leaving one does then. */
async function removeThrough(others: readonly EtcdMember[], id: bigint, connect: Connect): Promise<void> {
  const urls = others.flatMap((member) => member.clientUrls);
  await throughAny(urls, connect, (gateway) => gateway.removeMember(id));
}

async function throughAny<T>(
  urls: readonly string[],
  connect: Connect,
  ask: (gateway: EtcdGateway) => Promise<T>,
): Promise<T> {
  let failure: unknown = grpcError('UNAVAILABLE', 'there is no member to ask');
  for (const url of urls) {
    using gateway = connect(url);
    try {
      return await ask(gateway);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
