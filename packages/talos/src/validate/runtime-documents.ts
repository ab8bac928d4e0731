import { parseGoDuration } from '@bloomery/wire';
import { goPort, parseGoUrl } from '../config/go-url.ts';
import type { YamlMap } from '../yaml/index.ts';
import type { DocumentValidators } from './documents.ts';
import { expressionProblem } from './expression.ts';
import { type Findings, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt } from './section.ts';

const MIN_WATCHDOG_NS = 10_000_000_000n;

/** Documents about the running system: logs, events, environment, services of extensions. */
export const RUNTIME_DOCUMENTS: DocumentValidators = {
  EnvironmentConfig: (document, found) => {
    for (const name of Object.keys(mapAt(document, 'variables') ?? {})) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        found.errors.push(`invalid environment variable name: ${quoted(name)}`);
      }
    }
  },
  EventSinkConfig: (document, found) => {
    const endpoint = textAt(document, 'endpoint');
    const why = hostPortProblem(endpoint);
    if (why !== undefined)
      found.errors.push(`event sink endpoint: ${endpoint === '' ? '' : `address ${endpoint.slice(0, 200)}: `}${why}`);
  },
  ExtensionServiceConfig: extensionService,
  KmsgLogConfig: kernelLog,
  OOMConfig: (document, found) => {
    const trigger = textAt(document, 'triggerExpression');
    const ranking = textAt(document, 'cgroupRankingExpression');
    const wrong = [
      ['trigger', trigger === '' ? undefined : expressionProblem('memory', trigger)],
      ['cgroup scoring', ranking === '' ? undefined : expressionProblem('memory', ranking, 'double')],
    ] as const;
    for (const [what, why] of wrong) {
      if (why !== undefined) found.errors.push(`OOM ${what} expression is invalid: ${why}`);
    }
    if (textAt(document, 'sampleInterval').startsWith('-')) {
      found.errors.push('OOM sample interval must be longer than 0');
    }
  },
  WatchdogTimerConfig: (document, found) => {
    const timeout = parseGoDuration(textAt(document, 'timeout')) ?? 0n;
    if (textAt(document, 'device') === '') found.errors.push('watchdog device: empty value');
    else if (timeout !== 0n && timeout < MIN_WATCHDOG_NS) {
      found.errors.push('watchdog timeout: minimum value is 10s');
    }
  },
  ZswapConfig: (document, found) => {
    const percent = numberAt(document, 'maxPoolPercent');
    if (percent < 0 || percent > 100) found.errors.push('maxPoolPercent must be between 0 and 100');
  },
};

/** What net.SplitHostPort says. */
function hostPortProblem(text: string): string | undefined {
  if (/^\[[^[\]]*\]:[^:[\]]*$/.test(text) || /^[^:[\]]*:[^:[\]]*$/.test(text)) return undefined;
  if (!text.includes(':') || /\]$/.test(text)) return 'missing port in address';
  return text.startsWith('[') ? 'missing or misplaced bracket in address' : 'too many colons in address';
}

function extensionService(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'name');
  const files = mapsAt(document, 'configFiles');
  const of = `for extension ${quoted(name)}`;
  if (name === '') found.errors.push('name is required');
  else if (files.length === 0 && listAt(document, 'environment').length === 0) {
    found.errors.push(`no config files found ${of}`);
  } else if (files.some((file) => textAt(file, 'content') === '' || textAt(file, 'mountPath') === '')) {
    const first = files.find((file) => textAt(file, 'content') === '' || textAt(file, 'mountPath') === '');
    const what = textAt(first, 'content') === '' ? 'content' : 'mount path';
    found.errors.push(`extension ${what} is required ${of}`);
  }
}

function kernelLog(document: YamlMap, found: Findings): void {
  const url = isSet(document, 'url') ? parseGoUrl(textAt(document, 'url')) : undefined;
  if (textAt(document, 'name') === '') found.errors.push('name is required');
  else if (url === undefined || 'problem' in url) found.errors.push('url is required');
  else if (url.scheme !== 'tcp' && url.scheme !== 'udp') found.errors.push('url scheme must be tcp:// or udp://');
  else if (url.path !== '' && url.path !== '/') found.errors.push('url path must be empty');
  else if (goPort(url) === '') found.errors.push('url port is required');
}
