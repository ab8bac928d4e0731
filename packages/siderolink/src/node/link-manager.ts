import { type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import { type ApiEndpoint, parseApiEndpoint } from '../api-endpoint.ts';
import type { DialDeps } from '../dial/open-socket.ts';
import type { startTunnelRelay } from '../tunnel/tunnel-relay.ts';
import { generateWireguardKey, wireguardPublicKey } from '../wireguard-keys.ts';
import { splitHostPort } from './host-port.ts';
import { joinTrouble, untold } from './join-trouble.ts';
import type { LinkDevice } from './link-device.ts';
import type { LinkInputs, SiderolinkNodeStatus, UniqueTokenStore } from './node-options.ts';
import { openLinkApi, type ProvisionedLink, requestLink } from './request-link.ts';
import { createRetryDelay } from './retry-delay.ts';
import { createSaidOnce } from './said-once.ts';
import { createStatusBoard, type StatusBoard } from './status-board.ts';
import { rememberedToken } from './unique-token.ts';
import { watchLink } from './watch-link.ts';

/** What keeping a link needs. */
export interface LinkManagerDeps extends DialDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Make the interface for UDP or for the tunnel. */
  readonly startDevice: (isTunnel: boolean, privateKey: string) => Promise<LinkDevice>;
  readonly startRelay: typeof startTunnelRelay;
  readonly uniqueToken?: UniqueTokenStore;
}

/** Keeps a machine on the link. Disposing it leaves. */
export interface LinkManager extends AsyncDisposable {
  status(): SiderolinkNodeStatus;
  onChanged(listener: (status: SiderolinkNodeStatus) => void): () => void;
  update(inputs: LinkInputs | undefined): void;
  /** While the interface is one of the tunnel. */
  virtualAddress(): string | undefined;
}

const RETRY = { firstMs: 1_000, maxMs: 30_000 };

/** Start joining with these inputs, or wait for some. Failures are said once per cause and tried again for ever. */
export function startLinkManager(inputs: LinkInputs | undefined, deps: LinkManagerDeps): LinkManager {
  const board = createStatusBoard();
  const state: State = {
    inputs,
    joined: undefined,
    changed: new AbortController(),
    isStopped: false,
    privateKey: generateWireguardKey(),
    device: undefined,
    virtualAddress: undefined,
  };
  const done = keepJoined(state, board, deps);
  return {
    status: board.status,
    onChanged: board.onChanged,
    virtualAddress: () => state.virtualAddress,
    update: (next) => {
      if (isSame(next, state.inputs)) return;
      state.inputs = next;
      state.changed.abort();
    },
    [Symbol.asyncDispose]: async () => {
      state.isStopped = true;
      state.changed.abort();
      await done;
    },
  };
}

interface State {
  inputs: LinkInputs | undefined;
  /** What the present interface was made for. */
  joined: LinkInputs | undefined;
  /** Aborts when the inputs change or the manager stops. */
  changed: AbortController;
  isStopped: boolean;
  readonly privateKey: string;
  device: { readonly isTunnel: boolean; readonly link: LinkDevice } | undefined;
  virtualAddress: string | undefined;
}

async function keepJoined(state: State, board: StatusBoard, deps: LinkManagerDeps): Promise<void> {
  const delay = createRetryDelay(RETRY, deps.random);
  const said = createSaidOnce(deps.log, 'link.not_joined');
  let trouble: string | undefined;
  while (!state.isStopped) {
    state.changed = new AbortController();
    const { signal } = state.changed;
    if (state.device !== undefined && !isSame(state.inputs, state.joined)) await dropDevice(state, board, deps.log);
    state.joined = state.inputs;
    if (state.inputs === undefined) {
      await leave(state, board, deps.log);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      continue;
    }
    try {
      await joinOnce(state.inputs, state, board, deps, () => {
        delay.reset();
        said.well();
        // It is joined: what is wrong from now on is something else.
        if (board.status().lastError === trouble) board.set({ lastError: undefined });
      });
    } catch (error) {
      if (signal.aborted) continue;
      const retryMs = delay.next();
      const host = hostOf(state.inputs);
      const text = untold(error, [joinTokenOf(state.inputs), state.inputs.uniqueToken]);
      said.trouble(text, { host, retryMs });
      trouble = joinTrouble(host, error, text);
      board.set({ connected: false, lastError: trouble });
      await deps.clock.sleep(retryMs, signal);
    }
  }
  await leave(state, board, deps.log);
}

/** Whether nothing that the server is told or asked differs, however it is written. */
function isSame(a: LinkInputs | undefined, b: LinkInputs | undefined): boolean {
  return canonical(a) === canonical(b);
}

function canonical(inputs: LinkInputs | undefined): string {
  if (inputs === undefined) return '';
  const { api, uuid, talosVersion, uniqueToken = '' } = inputs;
  try {
    return JSON.stringify([parseApiEndpoint(api), uuid, talosVersion, uniqueToken]);
  } catch {
    return JSON.stringify([api, uuid, talosVersion, uniqueToken]);
  }
}

function hostOf({ api }: LinkInputs): string {
  const host = endpointOf(api)?.host;
  return host === undefined ? '' : splitHostPort(host).host;
}

const joinTokenOf = ({ api }: LinkInputs): string | undefined => endpointOf(api)?.joinToken;

function endpointOf(api: string): ApiEndpoint | undefined {
  try {
    return parseApiEndpoint(api);
  } catch {
    return undefined;
  }
}

/** Provision, set the interface up and keep watch. Returns when it is time to provision again. */
async function joinOnce(
  inputs: LinkInputs,
  state: State,
  board: StatusBoard,
  deps: LinkManagerDeps,
  onJoined: () => void,
): Promise<void> {
  const { signal } = state.changed;
  const api = parseApiEndpoint(inputs.api);
  board.set({ host: splitHostPort(api.host).host });
  const uniqueToken = await rememberedToken(inputs.uniqueToken, deps.uniqueToken, deps.random);
  const publicKey = wireguardPublicKey(state.privateKey);
  const link = await requestLink({ ...inputs, uniqueToken }, publicKey, { ...deps, signal });
  const isTunnel = link.virtualAddress !== undefined;
  const device = await deviceFor(isTunnel, state, board, deps);
  const { nodeAddress, serverAddress } = link;
  state.virtualAddress = link.virtualAddress;
  board.set({ linkName: device.interfaceName, grpcTunnel: isTunnel, nodeAddress, serverAddress });
  deps.log.info('link.joined', { host: api.host, mode: isTunnel ? 'tunnel' : 'udp', nodeAddress, serverAddress });
  onJoined();
  try {
    if (isTunnel) await throughTunnel(api, link, device, board, { ...deps, signal });
    else await throughUdp(link, device, board, { ...deps, signal });
  } catch (error) {
    if (!(await isThere(device))) await dropDevice(state, board, deps.log);
    throw error;
  }
}

type SessionDeps = LinkManagerDeps & { readonly signal: AbortSignal };

/** One endpoint after the other, each as long as the server answers there. */
async function throughUdp(
  link: ProvisionedLink,
  device: LinkDevice,
  board: StatusBoard,
  { clock, log, signal }: SessionDeps,
): Promise<void> {
  for (const endpoint of link.endpoints) {
    await device.configure(link, endpoint);
    board.set({ endpoint });
    await watchLink(device, { clock, board, signal });
    if (signal.aborted) return;
    log.warn('link.endpoint_silent', { endpoint });
    board.set({ lastError: `${endpoint} does not answer WireGuard for 275 s; next: another endpoint, else Provision` });
  }
}

const RELAY_RESTART_MS = 5_000;

/** WireGuard through a local relay, which is started again when it ends; unknown to the server means provision again. */
async function throughTunnel(
  api: ApiEndpoint,
  link: ProvisionedLink,
  device: LinkDevice,
  board: StatusBoard,
  { signal, ...deps }: SessionDeps,
): Promise<void> {
  const { clock, log, random, startRelay } = deps;
  const options = { virtualAddress: link.virtualAddress ?? '', dial: () => openLinkApi(api, deps) };
  while (!signal.aborted) {
    const over = new AbortController();
    await using relay = await startRelay(options, { clock, log, random });
    await device.configure(link, relay.endpoint);
    const watching = watchLink(device, { clock, board, signal: AbortSignal.any([signal, over.signal]) });
    const ended = await Promise.race([relay.ended, watching.then(() => undefined)]);
    if (ended === undefined) return;
    over.abort();
    await watching;
    log.warn('link.tunnel_ended', { reason: ended.reason, retryMs: RELAY_RESTART_MS });
    board.set({ lastError: `the server ended the tunnel (${ended.reason}); next: again in 5 s` });
    await clock.sleep(RELAY_RESTART_MS, signal);
    if (ended.reason === 'PERMISSION_DENIED') return;
  }
}

async function deviceFor(
  isTunnel: boolean,
  state: State,
  board: StatusBoard,
  { log, startDevice }: LinkManagerDeps,
): Promise<LinkDevice> {
  if (state.device !== undefined && (state.device.isTunnel !== isTunnel || !(await isThere(state.device.link)))) {
    await dropDevice(state, board, log);
  }
  state.device ??= { isTunnel, link: await startDevice(isTunnel, state.privateKey) };
  return state.device.link;
}

async function isThere(device: LinkDevice): Promise<boolean> {
  try {
    await device.lastHandshakeMs();
    return true;
  } catch {
    return false;
  }
}

/** Never fails: what cannot be removed is said, and found again by its record at the next start. */
async function dropDevice(state: State, board: StatusBoard, log: Logger): Promise<void> {
  const { device } = state;
  state.device = undefined;
  state.virtualAddress = undefined;
  board.clear();
  try {
    await device?.link[Symbol.asyncDispose]();
  } catch (error) {
    log.warn('link.interface_stays', { interface: device?.link.interfaceName, error: errorText(error) });
  }
}

async function leave(state: State, board: StatusBoard, log: Logger): Promise<void> {
  if (state.device === undefined) return board.clear();
  const { interfaceName } = state.device.link;
  await dropDevice(state, board, log);
  log.info('link.left', { interface: interfaceName });
}
