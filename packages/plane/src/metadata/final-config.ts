import type { ObjectClient } from '@bloomery/kube';
import type { Machine } from '@bloomery/model';
import { BloomeryError, type BoundAddress } from '@bloomery/ports';
import type { LinkApiOf } from '../boot/index.ts';
import { planConfig } from './plan-config.ts';
import { readConfigSources } from './read-config-input.ts';

/** As the metadata server has them. */
export interface FinalConfigDeps {
  readonly client: ObjectClient;
  readonly endpoint: BoundAddress;
  readonly linkAddress: () => string | undefined;
  readonly linkApi?: LinkApiOf;
}

const PROVIDER_ID = 'sidero://';

/**
 * The configuration that a machine of ours would be served if this were its bootstrap data: with the patches of its ServerClass
 * and Server and its SideroLink. Machines of other infrastructure get their bootstrap data as it is.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID when it cannot be made; the message says why
 */
export function createFinalConfig(deps: FinalConfigDeps): (machine: Machine, bootstrap: string) => Promise<string> {
  return async ({ metadata, spec }, bootstrap) => {
    if (spec?.infrastructureRef.kind !== 'MetalMachine') return bootstrap;
    const name = spec.providerID?.startsWith(PROVIDER_ID) === true ? spec.providerID.slice(PROVIDER_ID.length) : '';
    const refuse = (why: string): BloomeryError =>
      new BloomeryError('BLM_TALOS_CONFIG_INVALID', `making the configuration of Machine ${metadata.name}: ${why}`, {
        retryable: true,
      });
    if (name === '') throw refuse('it has no Server yet');
    const sources = await readConfigSources(deps.client, name);
    if (!sources.ok) throw refuse(sources.text);
    const linkApi = deps.linkApi?.(name);
    const plan = planConfig({
      ...sources.input,
      bootstrap,
      endpoint: deps.endpoint,
      linkAddress: deps.linkAddress(),
      ...(linkApi === undefined ? {} : { linkApi }),
    });
    if (!plan.ok) throw refuse(plan.text);
    return plan.body;
  };
}
