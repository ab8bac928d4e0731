import type {
  AddressSpec,
  HostnameSpec,
  LinkSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';

/** What an operator has obtained, as specs of layer `operator`. */
export interface OperatorOutputs {
  readonly addresses: readonly AddressSpec[];
  readonly links: readonly LinkSpec[];
  readonly routes: readonly RouteSpec[];
  readonly hostname?: HostnameSpec;
  readonly resolvers?: ResolverSpec;
  readonly timeServers?: TimeServerSpec;
}

/** Nothing yet. */
export const NO_OUTPUTS: OperatorOutputs = { addresses: [], links: [], routes: [] };

/** Something that configures one link with what it learns from the network, from its start until it is stopped. */
export interface Operator {
  /** As of now. */
  readonly outputs: OperatorOutputs;
  /** What stands in its way; undefined: nothing. */
  readonly problem: string | undefined;
  /** The name of this host as it is now; operators that tell it to the network do it anew. */
  hostnameIs(hostname: HostName): void;
  /** Ends its sockets and timers. Its outputs no longer count. */
  stop(): Promise<void>;
}

/** A host name in two parts; both empty when there is none. */
export interface HostName {
  readonly hostname: string;
  readonly domainname: string;
}
