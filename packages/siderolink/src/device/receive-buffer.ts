import { readFile, writeFile } from 'node:fs/promises';
import { errorText, type Logger } from '@bloomery/ports';

/** Receive buffer that one fast machine or some hundred slow ones do not fill between two turns of wireguard-go. */
const WANTED_BYTES = 4 * 1024 * 1024;
const DEFAULT_FILE = '/proc/sys/net/core/rmem_default';

/**
 * Do what makes wireguard-go open its socket. wireguard-go takes the host's default receive buffer, 208 KiB; bursts overflow it,
 * and TCP inside the link then stands still for seconds. So the default is raised for this moment and put back. Where it
 * may not be written, as in a container, the socket is opened all the same and the log says what to set on the host.
 *
 * @param file Of the default, in bytes.
 */
export async function withLargeReceiveBuffer<T>(open: () => Promise<T>, log: Logger, file = DEFAULT_FILE): Promise<T> {
  const have = await readFile(file, 'utf8').catch(() => '');
  if (Number(have) >= WANTED_BYTES || have === '') return open();
  try {
    await writeFile(file, String(WANTED_BYTES));
  } catch (error) {
    const opened = await open();
    const bytes = Number(have);
    log.info('link.small_receive_buffer', {
      bytes,
      error: errorText(error),
      try: `sysctl -w net.core.rmem_default=${WANTED_BYTES}`,
    });
    return opened;
  }
  try {
    return await open();
  } finally {
    await writeFile(file, have).catch((error: unknown) =>
      log.warn('link.receive_buffer_left', { bytes: WANTED_BYTES, before: Number(have), error: errorText(error) }),
    );
  }
}
