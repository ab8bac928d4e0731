import type { Controller } from '@bloomery/cosi';
import { splitHostPort } from '@bloomery/siderolink';
import { problemAnnotations } from '../layers/index.ts';
import { SiderolinkConfig, SiderolinkStatus } from '../resources/siderolink.ts';
import { SIDEROLINK_CONFIG_ID } from './config-controller.ts';
import type { NodeLink } from './node-link.ts';

/** Id of the one SiderolinkStatus. */
export const SIDEROLINK_STATUS_ID = 'siderolink-status';

const LOOK_MS = 30_000;
/** Where the interface is before there is one. */
const INTERFACE = 'siderolink';

/**
 * Tells whether the server answers on the link: at each change, and every 30 s. Without an interface it does not. What stands in the way
 * is an annotation.
 */
export function siderolinkStatusController(link: Pick<NodeLink, 'isJoining' | 'status' | 'onChanged'>): Controller {
  return {
    name: 'siderolink.StatusController',
    inputs: [{ definition: SiderolinkConfig, id: SIDEROLINK_CONFIG_ID, kind: 'weak' }],
    outputs: [{ definition: SiderolinkStatus, kind: 'exclusive' }],
    wakes: [{ listen: link.onChanged }],
    reconcile: (context) => {
      const config = context.get(SiderolinkConfig, SIDEROLINK_CONFIG_ID)?.spec;
      const outputs = context.outputs(SiderolinkStatus);
      if (config !== undefined) {
        const { connected, linkName, grpcTunnel, lastError } = link.status();
        const { host } = splitHostPort(config.host);
        const problem = link.isJoining() ? lastError : 'waits until this machine has an address';
        const status = { host, connected, linkName: linkName || INTERFACE, grpcTunnel };
        outputs.put(SIDEROLINK_STATUS_ID, status, { annotations: problemAnnotations(problem) });
        context.wakeAfter(LOOK_MS);
      }
      outputs.finish();
    },
  };
}
