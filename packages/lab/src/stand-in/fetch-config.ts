import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { type BootArguments, configUrlFor } from './boot-arguments.ts';

const RETRY_MS = 5_000;
const TIMEOUT_MS = 30_000;

/**
 * Ask the plane for this machine's configuration until it answers.
 * @throws TypeError when the kernel arguments do not say where it is.
 */
export async function fetchConfig(
  { configUrl }: BootArguments,
  uuid: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<string> {
  if (configUrl === undefined) throw new TypeError('no talos.config argument: this boot has no configuration');
  const url = configUrlFor(configUrl, uuid);
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await answer.text();
      if (answer.ok) {
        log.info('config.fetched', { bytes: text.length });
        return text;
      }
      log.warn('config.refused', { status: answer.status, why: text.slice(0, 200) });
    } catch (error) {
      log.warn('config.failed', { error: errorText(error) });
    }
    await clock.sleep(RETRY_MS);
  }
}
