import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import type { ApplyMode } from '@bloomery/talos';
import { formatGoDuration } from '@bloomery/wire';
import { type AcquiredConfig, acquireConfig, type ConfigSources, saveConfig } from './acquire-config.ts';
import type { NodeConfig } from './node-config.ts';
import type { ConfigReading } from './read-config.ts';
import { readConfigAside } from './read-config-aside.ts';

/** A configuration to apply. */
export interface ApplyRequest {
  readonly text: string;
  readonly mode: ApplyMode;
  readonly dryRun?: boolean;
  /** The caller may not see secrets of the configuration in force: a dry run hides them. */
  readonly hideSecrets?: boolean;
  /** Of mode try; a minute unless given. */
  readonly tryTimeoutMs?: number;
}

/** What became of it. */
export interface ApplyOutcome {
  /** The mode that was chosen. */
  readonly mode: ApplyMode;
  /** For people, in Talos' words. */
  readonly details: string;
  readonly warnings: readonly string[];
}

/** The configuration in force and the one of the next start. */
export interface ConfigStore {
  /** In force; while one is tried, that one. */
  readonly active: NodeConfig;
  /** On disk: what the next start takes up. */
  readonly persistent: NodeConfig;
  /** Nothing of a Kubernetes machine is configured yet: no v1alpha1 document. */
  readonly isInMaintenance: boolean;
  /** Why the configuration that should rule since the start was not taken: the changed file, or the kept one. */
  readonly refusal: string | undefined;
  /**
   * Apply a configuration. It is in force a moment after the answer, so that the answer gets out before addresses change.
   *
   * @throws BloomeryError BLM_NODE_APPLY_BUSY while another one is applied; BLM_NODE_APPLY_REBOOT for mode reboot;
   * BLM_TALOS_CONFIG_INVALID; BLM_NODE_CONFIG_UNWRITABLE when the disk refuses it. Nothing has changed then.
   */
  apply(request: ApplyRequest): Promise<ApplyOutcome>;
  /** Be told after each change of `active` or `persistent`. Returns the function that ends it. */
  watch(listener: () => void): () => void;
  /** End the timers and what is read; a tried configuration stays in force until the process ends. */
  stop(): void;
}

/** How long a tried configuration is in force unless said otherwise. */
const TRY_TIMEOUT_MS = 60_000;
const MAX_TRY_TIMEOUT_MS = 24 * 3_600_000;
const MAX_BYTES = 4 << 20;
/** Answers are on their way by then. */
const ACTIVATION_DELAY_MS = 100;
const WITHOUT_REBOOT = 'Applied configuration without a reboot';
const STAGED = 'Staged configuration to be applied after the next reboot';

/** Take up the configuration of the last run, or the seed. @throws as acquireConfig */
export async function openConfigStore(sources: ConfigSources, clock: Clock): Promise<ConfigStore> {
  return createConfigStore(await acquireConfig(sources), sources, clock);
}

function createConfigStore(first: AcquiredConfig, sources: ConfigSources, clock: Clock): ConfigStore {
  const { log } = sources;
  for (const warning of first.warnings) log.warn('config.warning', { warning });
  const news = createNews(clock);
  const stopping = new AbortController();
  const inForce = createInForce(first.config, { clock, log, tell: news.tell });
  let persistent = first.config;

  const persist = async (config: NodeConfig): Promise<void> => {
    await keep(sources, config);
    inForce.endTrial();
    persistent = config;
  };
  const apply = async (request: ApplyRequest): Promise<ApplyOutcome> => {
    const { config, warnings, diff } = await readRequest(request, inForce.active, { clock, signal: stopping.signal });
    const { mode } = request;
    if (request.dryRun === true) return { ...dryRun(request, diff), warnings };
    log.info('config.apply', { mode });
    if (mode === 'try') inForce.tryOut(config, tryTimeout(request));
    else await persist(config);
    if (mode === 'auto' || mode === 'no-reboot') inForce.confirm(config);
    news.tellSoon();
    return { ...outcomeOf(request), warnings };
  };

  return {
    get active() {
      return inForce.active;
    },
    get persistent() {
      return persistent;
    },
    get isInMaintenance() {
      return inForce.active.machine === undefined;
    },
    refusal: first.refusal,
    apply: oneAtATime(apply),
    watch: news.watch,
    stop: () => {
      inForce.endTrial();
      news.stop();
      stopping.abort();
    },
  };
}

interface InForceDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: () => void;
}

/** The configuration in force, and the last one that was so for good: where every trial ends. */
function createInForce(first: NodeConfig, { clock, log, tell }: InForceDeps) {
  const trial = createTimer(clock);
  let active = first;
  let confirmed = first;
  return {
    get active() {
      return active;
    },
    confirm: (config: NodeConfig): void => {
      active = config;
      confirmed = config;
    },
    tryOut: (config: NodeConfig, timeoutMs: number): void => {
      active = config;
      trial.start(timeoutMs, () => {
        active = confirmed;
        log.info('config.trial_ended', { afterMs: timeoutMs });
        tell();
      });
    },
    /** What is tried stays in force. */
    endTrial: trial.cancel,
  };
}

/** @throws BloomeryError BLM_NODE_APPLY_BUSY while an earlier one is at work. */
function oneAtATime(apply: ConfigStore['apply']): ConfigStore['apply'] {
  let isApplying = false;
  return async (request) => {
    if (isApplying)
      throw new BloomeryError('BLM_NODE_APPLY_BUSY', 'another apply configuration is already in progress');
    isApplying = true;
    try {
      return await apply(request);
    } finally {
      isApplying = false;
    }
  };
}

/** Tells listeners, at once or when answers are on their way. */
function createNews(clock: Clock) {
  const listeners = new Set<() => void>();
  const timer = createTimer(clock);
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    tell,
    tellSoon: () => timer.start(ACTIVATION_DELAY_MS, tell),
    watch: (listener: () => void) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    stop: timer.cancel,
  };
}

/** One timer; starting it again puts the earlier one off. */
function createTimer(clock: Clock) {
  let cancel = (): void => {};
  return {
    start: (delayMs: number, callback: () => void): void => {
      cancel();
      cancel = clock.after(delayMs, callback);
    },
    cancel: (): void => cancel(),
  };
}

async function keep(sources: ConfigSources, config: NodeConfig): Promise<void> {
  try {
    await saveConfig(sources, config.text);
  } catch (cause) {
    const message = `keeping the machine configuration in ${sources.stateDir}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_NODE_CONFIG_UNWRITABLE', message, { retryable: true, cause });
  }
}

function outcomeOf(request: ApplyRequest): Pick<ApplyOutcome, 'mode' | 'details'> {
  const { mode } = request;
  if (mode === 'staged') return { mode, details: STAGED };
  if (mode !== 'try') return { mode: 'no-reboot', details: WITHOUT_REBOOT };
  return { mode, details: `${WITHOUT_REBOOT}\n${trialDetails(tryTimeout(request))}` };
}

async function readRequest(
  { text, mode, dryRun: isDryRun = false, hideSecrets = false }: ApplyRequest,
  active: NodeConfig,
  options: Parameters<typeof readConfigAside>[1],
): Promise<ConfigReading> {
  if (mode === 'reboot') {
    const message =
      'mode reboot is not supported: the host is not ours to reboot; use --mode=staged and restart the daemon, or --mode=no-reboot';
    throw new BloomeryError('BLM_NODE_APPLY_REBOOT', message);
  }
  if (text.length > MAX_BYTES)
    throw invalid(`a configuration of ${text.length} characters is larger than ${MAX_BYTES}`);
  const compared = isDryRun ? { inForce: active.text, hideSecrets } : {};
  const reading = await readConfigAside({ text, ...compared }, options);
  if (active.machine !== undefined && reading.config.machine === undefined) {
    const hint = 'did you mean to patch the machine config instead?';
    throw invalid(`the applied machine configuration doesn't contain v1alpha1 config, ${hint}`);
  }
  return reading;
}

function tryTimeout({ tryTimeoutMs = TRY_TIMEOUT_MS }: ApplyRequest): number {
  if (tryTimeoutMs > 0 && tryTimeoutMs <= MAX_TRY_TIMEOUT_MS) return tryTimeoutMs;
  throw invalid(`a configuration is tried for more than 0 s and at most 24 h, not for ${tryTimeoutMs} ms`);
}

const invalid = (message: string): BloomeryError => new BloomeryError('BLM_TALOS_CONFIG_INVALID', message);

const trialDetails = (timeoutMs: number): string =>
  `The config is applied in 'try' mode and will be automatically reverted back in ${goDuration(timeoutMs)}`;

const goDuration = (ms: number): string => formatGoDuration(BigInt(Math.round(ms)) * 1_000_000n);

function dryRun({ mode }: ApplyRequest, diff: string): Pick<ApplyOutcome, 'mode' | 'details'> {
  const what = mode === 'staged' ? STAGED : WITHOUT_REBOOT;
  const details = `Dry run summary:\n${what} (skipped in dry-run).\nConfig diff:\n\n${diff || 'No changes.'}`;
  return { mode: mode === 'auto' ? 'no-reboot' : mode, details };
}
