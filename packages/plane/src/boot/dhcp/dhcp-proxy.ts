import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type BoundAddress, errorText, type Listen, type Logger } from '@bloomery/ports';
import { type DhcpPacket, decodeDhcp, encodeDhcp } from '@bloomery/wire';
import type { DhcpClient } from './dhcp-client.ts';
import { type DhcpProxySettings, planDhcpProxy } from './dhcp-proxy-plan.ts';
import { type DhcpDestination, dhcpDestination } from './dhcp-reply-path.ts';

/** Where the DHCP proxy listens. */
export interface DhcpProxyOptions extends DhcpProxySettings {
  /** 67 in the field. Port 4011 is opened on the same host address. */
  readonly listen: Listen;
  /** IPv4 address of the interface towards the machines: broadcasts leave from there. Absent: as the routes say. */
  readonly interfaceAddress?: string;
  /** Of boot servers, 4011 unless given; 0 for a free one (tests). */
  readonly bootServerPort?: number;
}

/** What the DHCP proxy needs. */
export interface DhcpProxyDeps {
  readonly log: Logger;
  /** A machine that is about to boot from us was seen and answered. */
  readonly onSeen: (client: DhcpClient, file: string, port: 67 | 4011) => void;
}

/** A running proxy. Addresses are undefined where the port could not be had. */
export interface DhcpProxy extends AsyncDisposable {
  readonly address: BoundAddress | undefined;
  readonly bootServerAddress: BoundAddress | undefined;
}

const DHCP_CLIENT_PORT = 68;
const BOOT_SERVER_PORT = 4011;
const ANYONE = '0.0.0.0';
const BROADCAST = '255.255.255.255';

/**
 * Start the DHCP proxy. A port that another program holds is said once as a warning and left out: with 4011 alone, firmware that
 * got its address elsewhere and asks there is still served. Node cannot bind a socket to an interface: where several
 * interfaces carry DHCP, packets of all of them are heard, and answers leave only by `interfaceAddress`.
 */
export async function startDhcpProxy(options: DhcpProxyOptions, deps: DhcpProxyDeps): Promise<DhcpProxy> {
  const { log } = deps;
  const sockets: Socket[] = [];
  const opened = async (what: string, open: () => Promise<Socket>): Promise<Socket | undefined> => {
    try {
      const socket = await open();
      socket.on('error', (error) => log.warn('dhcp_proxy.socket_error', { what, error: errorText(error) }));
      sockets.push(socket);
      return socket;
    } catch (error) {
      log.warn('dhcp_proxy.port_unavailable', { what, error: errorText(error) });
      return undefined;
    }
  };
  const main = await opened(`port ${options.listen.port}`, () => openMain(options.listen));
  const bootServer = await opened('port 4011', () =>
    openSocket({ host: options.listen.host, port: options.bootServerPort ?? BOOT_SERVER_PORT }, false),
  );
  const fromPort = main?.address().port ?? options.listen.port;
  const { interfaceAddress } = options;
  const broadcaster =
    interfaceAddress === undefined
      ? undefined
      : await opened(`broadcasts from ${interfaceAddress}`, () => openBroadcaster(interfaceAddress, fromPort));

  const send = (reply: Uint8Array, to: DhcpDestination, from: Socket): void => {
    const failed = (error: Error | null): void => {
      if (error !== null) log.warn('dhcp_proxy.send_failed', { to: to.host, error: errorText(error) });
    };
    if (to.host === BROADCAST && broadcaster !== undefined) broadcaster.send(reply, failed);
    else from.send(reply, to.port, to.host, failed);
  };
  const serve = (socket: Socket, port: 67 | 4011): void => {
    socket.on('message', (bytes, remote) => {
      const answer = answerTo(bytes, port, options, log);
      if (answer === undefined) return;
      send(answer.bytes, dhcpDestination(answer.packet, remote, port), socket);
      deps.onSeen(answer.client, answer.file, port);
    });
  };
  if (main !== undefined) serve(main, 67);
  if (bootServer !== undefined) serve(bootServer, 4011);
  const address = boundAddress(main, options.listen.host);
  const bootServerAddress = boundAddress(bootServer, options.listen.host);
  log.info('dhcp_proxy.listening', { address, bootServerAddress });
  return {
    address,
    bootServerAddress,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        sockets.map(async (socket) => {
          const closed = once(socket, 'close');
          socket.close();
          await closed;
        }),
      );
    },
  };
}

interface Answer {
  readonly packet: DhcpPacket;
  readonly client: DhcpClient;
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Undefined for rubbish and for packets that are none of ours. */
function answerTo(bytes: Uint8Array, port: 67 | 4011, options: DhcpProxyOptions, log: Logger): Answer | undefined {
  try {
    const packet = decodeDhcp(bytes);
    const plan = planDhcpProxy(packet, port, options);
    if (plan.do === 'drop') {
      log.debug('dhcp_proxy.dropped', { why: plan.why, port });
      return undefined;
    }
    return { packet, client: plan.client, file: plan.file, bytes: encodeDhcp(plan.reply, { maxBytes: plan.maxBytes }) };
  } catch (error) {
    log.debug('dhcp_proxy.malformed', { port, error: errorText(error) });
    return undefined;
  }
}

/**
 * The socket that hears DISCOVERs. Beside a DHCP server on the same host it takes broadcasts only, so that the renewals of that
 * server's clients are not taken away from it.
 */
async function openMain(listen: Listen): Promise<Socket> {
  if (listen.host !== ANYONE || listen.port === 0 || (await isFree(listen))) return await openSocket(listen, true);
  return await openSocket({ host: BROADCAST, port: listen.port }, true);
}

async function isFree(listen: Listen): Promise<boolean> {
  try {
    const probe = await openSocket(listen, false);
    probe.close();
    await once(probe, 'close');
    return true;
  } catch {
    return false;
  }
}

/** Bound to the interface's address, so that broadcasts leave there; connected, so that it receives nothing. */
async function openBroadcaster(host: string, port: number): Promise<Socket> {
  const socket = await openSocket({ host, port }, true);
  const connected = once(socket, 'connect');
  socket.connect(DHCP_CLIENT_PORT, BROADCAST);
  await connected;
  return socket;
}

async function openSocket(listen: Listen, shared: boolean): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: shared });
  const listening = once(socket, 'listening');
  socket.bind(listen.port, listen.host);
  try {
    await listening;
    socket.setBroadcast(true);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function boundAddress(socket: Socket | undefined, host: string): BoundAddress | undefined {
  return socket === undefined ? undefined : { host, port: socket.address().port };
}
