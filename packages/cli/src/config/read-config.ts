import { findObject } from '@bloomery/kube';
import { secret } from '@bloomery/model';
import { planOwnConfig, readConfigSources } from '@bloomery/plane';
import { BloomeryError } from '@bloomery/ports';
import { type ConfigDocument, readConfig } from '@bloomery/talos';
import type { Session } from '../session.ts';
import type { MachineChain } from './find-machine.ts';

/** A machine's configuration, and what it was made from. */
export interface ShownConfig {
  readonly documents: readonly ConfigDocument[];
  /** For people, in the order of their effect. */
  readonly sources: readonly string[];
}

/**
 * The configuration that a machine is served, but for the SideroLink documents; or only its bootstrap data. Reads Secrets.
 *
 * @returns undefined while there is no bootstrap data.
 * @throws BloomeryError BLM_API_FORBIDDEN, BLM_CLI_REFUSED when a patch cannot be applied
 */
export async function readShownConfig(
  session: Session,
  chain: MachineChain,
  isBootstrapOnly: boolean,
): Promise<ShownConfig | undefined> {
  const { client, namespace } = session;
  const name = chain.machine.spec?.bootstrap.dataSecretName ?? '';
  if (name === '') return undefined;
  const found = await findObject(client, secret, { name, namespace });
  const value = found?.data?.['value'];
  if (value === undefined) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const config = chain.talosConfig === undefined ? '' : ` of TalosConfig ${chain.talosConfig.metadata.name}`;
  const sources = [`bootstrap data${config} (Secret ${namespace}/${name})`];
  if (isBootstrapOnly || chain.binding === undefined) return { documents: readConfig(text, 'lenient'), sources };
  const served = await readConfigSources(client, chain.binding.metadata.name);
  if (!served.ok) throw refused(served.text);
  const plan = planOwnConfig(served.input);
  if (!plan.ok) throw refused(plan.text);
  const patches = served.input.sources.map(({ what, configPatches, strategicPatches }) => {
    return `${what}: ${configPatches.length} JSON patch operations, ${strategicPatches.length} strategic patches`;
  });
  return {
    documents: plan.documents,
    sources: [
      ...sources,
      ...patches,
      'label metal.sidero.dev/uuid of the node',
      'SideroLink documents (not shown here)',
    ],
  };
}

function refused(text: string): BloomeryError {
  return new BloomeryError('BLM_CLI_REFUSED', `the machine is served no configuration: ${text}`, {
    facts: { try: 'bloomery config NAME --bootstrap' },
  });
}
