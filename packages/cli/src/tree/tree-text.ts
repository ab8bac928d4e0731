import { ageText } from '../output/age.ts';
import { tableText } from '../output/table.ts';
import type { TreeNode } from './cluster-tree.ts';

const HEADING = ['NAME', 'READY', 'SEVERITY', 'REASON', 'SINCE', 'MESSAGE'];
const MESSAGE_MAX = 160;
/** What is above the cause mostly repeats it. */
const REPEATED_MAX = 60;

/** What to show beside the tree itself. */
export interface TreeTextOptions {
  readonly nowMs: number;
  /** Kinds, or `Kind/name`, whose conditions are listed below them; `all` for every one. */
  readonly showConditions?: string;
}

/** The tree as a table; what explains a wait ends with `<- cause`. Pure. */
export function treeText(root: TreeNode, options: TreeTextOptions): string {
  return tableText(HEADING, rows(root, '', '', options));
}

type Row = readonly string[];

function rows(item: TreeNode, lead: string, rest: string, options: TreeTextOptions): readonly Row[] {
  const { state, children } = item;
  const extra = conditionsShown(item, options.showConditions);
  const below = children.flatMap((child, i) => {
    const isLast = i === children.length - 1;
    return rows(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, options);
  });
  const row = [
    `${lead}${nameOf(item)}`,
    state.ready,
    state.severity,
    state.reason,
    state.since === '' ? '' : ageText(state.since, options.nowMs),
    messageOf(item),
  ];
  const indent = `${rest}${children.length > 0 ? '│  ' : '   '}        `;
  const conditions = extra.map(({ type, status, severity, reason, since, message }) => [
    `${indent}${type}`,
    status,
    severity,
    reason,
    since === '' ? '' : ageText(since, options.nowMs),
    shortened(message),
  ]);
  return [row, ...conditions, ...below];
}

/** `ControlPlane - TalosControlPlane/forge-cp` */
function nameOf({ role, kind, name }: TreeNode): string {
  const own = kind === '' || name.includes(' ') ? name : `${kind}/${name}`;
  return role === undefined ? own : `${role} - ${own}`;
}

function messageOf(item: TreeNode): string {
  const { state, note, isCause } = item;
  const message = shortened(state.message, item.children.some(hasCause) ? REPEATED_MAX : MESSAGE_MAX);
  const said = [note === undefined ? '' : `(${note})`, message].filter((text) => text !== '');
  return `${said.join(' ')}${isCause ? '  <- cause' : ''}`.trimStart();
}

function hasCause({ isCause, children }: TreeNode): boolean {
  return isCause || children.some(hasCause);
}

function shortened(text: string, max: number = MESSAGE_MAX): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

function conditionsShown({ kind, name, conditions }: TreeNode, wanted = ''): TreeNode['conditions'] {
  const names = wanted.toLowerCase().split(',');
  const isWanted = ['all', kind.toLowerCase(), `${kind}/${name}`.toLowerCase()].some((text) => names.includes(text));
  return isWanted ? conditions.filter(({ type }) => type !== 'Ready') : [];
}
