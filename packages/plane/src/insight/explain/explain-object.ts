import { type Finding, isWaitReason, WAIT_REASONS, type WaitReason } from '@bloomery/model';
import { quoteError } from '../quote-error.ts';
import { bootVerdict } from './boot-verdict.ts';
import type { MachineRule, RuleFinding } from './bound-machine.ts';
import { duplicateMachine } from './duplicate-rule.ts';
import { EVIDENCE_MAX, newestFirst, sinceOf, statementOf, TEXT_MAX } from './evidence.ts';
import { type ExplainedCondition, type ExplainedObject, type ExplainInput, objectRef } from './explain-input.ts';
import { linkNeverUp, linkRefused, linkStale, reconnectStorm, tunnelModeLost } from './link-rules.ts';
import { explainProviderId } from './provider-id-rule.ts';
import { configInvalid, installationFailed } from './system-rules.ts';
import { WAIT_RULES } from './wait-rules.ts';

/** Waits in which the machine is expected to boot: only then is its silence a finding. */
const BOOTING: ReadonlySet<string> = new Set(['WaitingForAgent', 'WaitingForSystem', 'WaitingForPowerOn', 'Wiping']);

/**
 * Why the object is not where it should be, the root first. Empty: nothing to explain. Pure.
 * The deepest object that waits is the root: a MetalMachine that waits for its Server's boot is explained by the Server.
 */
export function explainObject(input: ExplainInput): readonly Finding[] {
  const waiting = [...input.upstream].reverse().flatMap((object) => explainWaits(object, input));
  const own = explainWaits(input.object, input);
  const findings = [...waiting, ...own];
  const isBooting = findings.some((finding) => BOOTING.has(finding.rule));
  const machine = explainMachine(input);
  const hidden = new Set(machine.flatMap(({ hides }) => hides));
  return unique([
    ...(isBooting ? explainBoot(input) : []),
    ...machine.map(({ hides: _hides, ...finding }) => finding),
    ...findings.filter(({ rule }) => !hidden.has(rule)),
  ]);
}

/** Root first: a rule hides what comes after it and says less. */
const MACHINE_RULES: readonly MachineRule[] = [
  linkRefused,
  tunnelModeLost,
  linkNeverUp,
  configInvalid,
  installationFailed,
  linkStale,
  duplicateMachine,
  reconnectStorm,
];

function explainMachine({ machine, nowMs }: ExplainInput): readonly RuleFinding[] {
  if (machine === undefined || machine.binding.metadata.deletionTimestamp !== undefined) return [];
  const hidden = new Set<string>();
  return MACHINE_RULES.flatMap((rule) => {
    const found = rule(machine, nowMs);
    if (found === undefined || hidden.has(found.rule)) return [];
    for (const name of found.hides) if (name !== found.rule) hidden.add(name);
    return [found];
  });
}

function explainBoot({ entries, nowMs }: ExplainInput): readonly Finding[] {
  const verdict = bootVerdict(entries, nowMs);
  if (verdict === undefined) return [];
  const { rule, cause, next, last } = verdict;
  const evidence = newestFirst(entries.filter((entry) => entry.source === 'boot' || entry.source === 'agent'));
  return [
    {
      rule,
      severity: 'error',
      cause,
      since: last.time,
      evidence,
      next,
      do: verdict.do,
      more: 'how-to/debug-a-boot#find-the-last-mark',
    },
  ];
}

function explainWaits(object: ExplainedObject, input: ExplainInput): readonly Finding[] {
  const conditions = object.status?.conditions ?? [];
  const failing = conditions.filter((condition) => isFailing(condition) && condition.reason !== undefined);
  // Ready mostly repeats another condition word by word: once is enough.
  const ranked = failing
    .toSorted((a, b) => rank(a) - rank(b))
    .filter(({ message = '' }, i, all) => message === '' || all.findIndex((c) => c.message === message) === i);
  const findings = ranked.flatMap((condition) =>
    condition.type === 'ProviderSet'
      ? explainProviderId(object, condition, input)
      : [explainCondition(object, condition, input)],
  );
  const waitingFor = object.status?.waitingFor;
  const isStated = ranked.some((condition) => isWaitReason(condition.reason));
  // Of what is on its way out it says nothing that it fails by and by: only what holds it counts.
  if (isStated && object.metadata.deletionTimestamp !== undefined) {
    return findings.filter(({ rule }) => isWaitReason(rule));
  }
  if (isStated || waitingFor === undefined || waitingFor === '-') return findings;
  return [explainPhrase(object, waitingFor, ranked, input), ...findings];
}

/** Kubernetes' conditions that are named after what is wrong: NamespaceFinalizersRemaining, DiskPressure. */
const NAMED_AFTER_A_FAULT = /(Failure|Remaining|Pressure|Unavailable)$/;

function isFailing({ type, status }: ExplainedCondition): boolean {
  return status === (NAMED_AFTER_A_FAULT.test(type) ? 'True' : 'False');
}

/** Known waits before other failures, `Ready` (the summary) first among each. */
function rank({ type, reason }: ExplainedCondition): number {
  return (isWaitReason(reason) ? 0 : 2) + (type === 'Ready' ? 0 : 1);
}

function explainCondition(object: ExplainedObject, condition: ExplainedCondition, input: ExplainInput): Finding {
  const { reason = '', message = '', severity } = condition;
  const evidence = [statementOf(condition), ...newestFirst(input.entries)].slice(0, EVIDENCE_MAX);
  const common = { ...sinceOf(condition), evidence };
  if (isWaitReason(reason)) return { ...waitFinding(object, reason), ...common };
  return {
    ...common,
    rule: reason,
    severity: severity === 'Error' ? 'error' : severity === 'Info' ? 'info' : 'warning',
    cause: `${named(object)}: ${message === '' ? `${condition.type} is ${condition.status} (${reason})` : quoteError(message, TEXT_MAX)}`,
    next: 'The controller tries again by itself.',
    do: [`bloomery describe ${objectRef(object)}`],
    more: 'reference/events',
  };
}

function waitFinding(object: ExplainedObject, reason: WaitReason): Omit<Finding, 'evidence'> {
  const { doc, normal } = WAIT_REASONS[reason];
  const rule = WAIT_RULES[reason];
  return {
    rule: reason,
    severity: normal ? 'info' : 'warning',
    cause: `${named(object)}: ${doc}`,
    next: rule.next,
    do: rule.do(object),
    more: `reference/wait-reasons#${reason}`,
  };
}

/** A wait that only the WAITING-FOR column states; the conditions that fail are its evidence. */
function explainPhrase(
  object: ExplainedObject,
  waitingFor: string,
  failing: readonly ExplainedCondition[],
  input: ExplainInput,
): Finding {
  const evidence = [...failing.map(statementOf), ...newestFirst(input.entries)].slice(0, EVIDENCE_MAX);
  const reason = Object.keys(WAIT_REASONS).find(
    (name) => isWaitReason(name) && WAIT_REASONS[name].short === waitingFor,
  );
  const [first] = failing;
  const since = first === undefined ? {} : sinceOf(first);
  if (isWaitReason(reason)) return { ...waitFinding(object, reason), ...since, evidence };
  return {
    rule: 'Waiting',
    severity: 'info',
    cause: `${named(object)} waits for ${waitingFor}.`,
    ...since,
    evidence,
    next: 'It goes on by itself when that is there.',
    do: [`bloomery describe ${objectRef(object)}`],
    more: 'reference/wait-reasons',
  };
}

function named({ kind, metadata }: ExplainedObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** The same wait stated by several conditions or objects counts once, at its first place. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ rule, cause }) => {
    const id = `${rule} ${cause}`;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
