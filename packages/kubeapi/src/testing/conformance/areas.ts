import type { Area } from './area.ts';
import { access } from './cases/access.ts';
import { apply } from './cases/apply.ts';
import { crds } from './cases/crds.ts';
import { crud } from './cases/crud.ts';
import { deletion } from './cases/deletion.ts';
import { discovery } from './cases/discovery.ts';
import { kinds } from './cases/kinds.ts';
import { kubectl } from './cases/kubectl.ts';
import { leasesAndEvents } from './cases/leases-and-events.ts';
import { metadata } from './cases/metadata.ts';
import { negotiation } from './cases/negotiation.ts';
import { options } from './cases/options.ts';
import { patch } from './cases/patch.ts';
import { reads } from './cases/reads.ts';
import { subresources } from './cases/subresources.ts';
import { validation } from './cases/validation.ts';
import { watches } from './cases/watches.ts';
import { webhooks } from './cases/webhooks.ts';

/** The whole suite, in the order in which it runs. */
export const AREAS: readonly Area[] = [
  discovery,
  crud,
  metadata,
  validation,
  options,
  negotiation,
  patch,
  apply,
  subresources,
  reads,
  watches,
  kinds,
  access,
  crds,
  leasesAndEvents,
  kubectl,
  deletion,
  webhooks,
];
