import type { Resource } from '@bloomery/cosi';
import { LinkStatus } from '../../resources/links.ts';
import { resourceOf } from './resource-of.ts';

/** A network card of this name as it is shown, with these fields. */
export function linkStatus(name: string, fields: Partial<LinkStatus> = {}): Resource<LinkStatus> {
  return resourceOf(LinkStatus, name, LinkStatus.make({ type: 'ether', ...fields }));
}
