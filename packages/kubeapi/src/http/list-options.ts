import { forbiddenOption, invalidOptions, notSupported, type OptionProblem } from '../pipeline/invalid-options.ts';
import { isTrue, wholeNumber } from './resource-call.ts';

/** The query of a list, a watch or the deletion of a collection. */
export interface ListOptions {
  readonly labels: string | undefined;
  readonly fields: string | undefined;
  readonly limit: number | undefined;
  readonly continue: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly resourceVersionMatch: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  /** Undefined: not said. */
  readonly sendInitialEvents: boolean | undefined;
}

/** Read and check the options of a list or a watch. @throws 400 for what cannot be read, 422 for what does not go together. */
export function listOptionsOf(query: URLSearchParams, watch: boolean): ListOptions {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const initial = query.get('sendInitialEvents');
  const options: ListOptions = {
    labels: text('labelSelector'),
    fields: text('fieldSelector'),
    limit: wholeNumber(query.get('limit')),
    continue: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    timeoutSeconds: wholeNumber(query.get('timeoutSeconds')),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
  };
  const problems = watch ? watchProblems(options) : listProblems(options);
  if (problems.length > 0) throw invalidOptions('ListOptions', problems);
  return options;
}

const MATCH = 'resourceVersionMatch';
const NOT_OLDER = 'NotOlderThan';

function listProblems(options: ListOptions): readonly OptionProblem[] {
  const { resourceVersionMatch: match } = options;
  const problems: OptionProblem[] = [];
  if (match !== undefined) {
    if (options.resourceVersion === undefined)
      problems.push(forbiddenOption(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continue !== undefined)
      problems.push(forbiddenOption(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== NOT_OLDER) problems.push(notSupported(MATCH, match, ['Exact', NOT_OLDER, '']));
    if (match === 'Exact' && options.resourceVersion === '0')
      problems.push(forbiddenOption(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined)
    problems.push(forbiddenOption('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return problems;
}

function watchProblems(options: ListOptions): readonly OptionProblem[] {
  const { resourceVersionMatch: match, sendInitialEvents: initial } = options;
  const problems: OptionProblem[] = [];
  if (initial !== undefined && match !== NOT_OLDER)
    problems.push(forbiddenOption(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match !== undefined) {
    if (initial === undefined) {
      const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
      problems.push(forbiddenOption(MATCH, why));
    }
    if (match !== NOT_OLDER) problems.push(notSupported(MATCH, match, [NOT_OLDER]));
  }
  if (options.continue !== undefined)
    problems.push(forbiddenOption(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  return problems;
}
