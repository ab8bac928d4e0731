import type { Wait } from '../../allocation/wait.ts';
import { type ProviderObject, providerStateText } from '../contract/provider-object.ts';

const PATH = 'spec.template.spec';

/** What stands against making objects from a template that was looked up; `field` is the reference below the machine's spec. */
export function templateWait(field: string, template: ProviderObject | undefined): Wait | undefined {
  const at = `${PATH}.${field}`;
  if (template === undefined) return { reason: 'WaitingForTemplate', message: `${at}: no template is named; name one` };
  if (template.kind !== undefined && !template.kind.kind.endsWith('Template')) {
    const message = `${at}: ${template.text} is no template: its kind does not end in Template; name one that does`;
    return { reason: 'WaitingForTemplate', message };
  }
  if (template.object !== undefined) return undefined;
  return { reason: 'WaitingForTemplate', message: `${at}: ${providerStateText(template)}` };
}
