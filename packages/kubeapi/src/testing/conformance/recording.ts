import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, stringifyJson } from '@bloomery/model';
import type { Step } from './session.ts';

/** What one case must show: on kube-apiserver, and on ours where that differs. */
export interface CaseRecording {
  readonly steps: readonly Step[];
  readonly ours?: readonly Step[];
}

/** The recordings of an area by the sentence of the case. */
export type AreaRecording = Readonly<Record<string, CaseRecording>>;

const fileOf = (area: string): string => join(import.meta.dirname, 'testdata', `${area}.json`);

/** The recording of an area; {} when there is none. */
export function readRecording(area: string): AreaRecording {
  const file = fileOf(area);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** Write the recording of an area, one step a line. */
export function writeRecording(area: string, recording: AreaRecording): void {
  const lines = (steps: readonly Step[]): string => steps.map((step) => `      ${stringifyJson(step)}`).join(',\n');
  const cases = Object.entries(recording).map(([title, { steps, ours }]) => {
    const own = ours === undefined ? '' : `,\n    "ours": [\n${lines(ours)}\n    ]`;
    return `  ${JSON.stringify(title)}: {\n    "steps": [\n${lines(steps)}\n    ]${own}\n  }`;
  });
  writeFileSync(fileOf(area), `{\n${cases.join(',\n')}\n}\n`);
}

/** Steps as they are compared: keys sorted by the comparison itself, absent members gone. */
export function plain(steps: readonly Step[]): Json {
  return JSON.parse(stringifyJson(steps));
}
