import {
  type CallContext,
  type GrpcMessageMethod,
  type GrpcService,
  type GrpcStatusName,
  grpcError,
} from '@bloomery/grpc';
import type { BoundAddress, Clock } from '@bloomery/ports';

/** What goes wrong with a call. */
export type CallFault =
  /** Answered with this status, nothing done. */
  | { readonly fault: 'refuse'; readonly status: GrpcStatusName; readonly message?: string }
  /** No answer until the caller goes, nothing done. */
  | { readonly fault: 'hang' }
  /** Done after this time. */
  | { readonly fault: 'slow'; readonly delayMs: number }
  /** Done; then the connection goes before the answer. */
  | { readonly fault: 'drop-after' }
  /** These bytes are the answer, nothing done. */
  | { readonly fault: 'answer'; readonly message: Uint8Array };

/** A call that reached the machine. */
export interface RecordedCall {
  /** `Bootstrap` */
  readonly method: string;
  readonly atMs: number;
  /** Roles of the caller. */
  readonly roles: readonly string[];
}

/** Faults that are set while a machine runs. */
export interface CallFaults {
  /** The next `times` calls (for ever unless given) of this method, or of any with `*`, fail so. The last one set counts. */
  set(method: string, fault: CallFault, times?: number): void;
  clear(): void;
}

/** What recording and breaking calls needs. */
export interface CallFaultDeps {
  readonly clock: Clock;
  readonly cut: (peer: BoundAddress) => void;
  readonly calls: RecordedCall[];
}

const MAX_RECORDED = 10_000;

/** The same service, with its calls recorded and with faults that can be set. */
export function breakableService(
  service: GrpcService,
  deps: CallFaultDeps,
): { readonly service: GrpcService; readonly faults: CallFaults } {
  const set = new Map<string, { fault: CallFault; left: number }>();
  const faultOf = (method: string): CallFault | undefined => {
    const key = set.has(method) ? method : '*';
    const found = set.get(key);
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) set.delete(key);
    return found.fault;
  };
  const methods = service.methods.map((method) => {
    if ('open' in method) return method;
    const name = method.path.slice(method.path.lastIndexOf('/') + 1);
    const serve: GrpcMessageMethod['serve'] = (messages, context) => {
      record(deps, name, context);
      return faulty({ deps, context, fault: faultOf(name) }, () => method.serve(messages, context));
    };
    return { ...method, serve };
  });
  return {
    service: { ...service, methods },
    faults: {
      set: (method, fault, times = Number.POSITIVE_INFINITY) => set.set(method, { fault, left: times }),
      clear: () => set.clear(),
    },
  };
}

function record({ calls, clock }: CallFaultDeps, method: string, context: CallContext): void {
  if (calls.length >= MAX_RECORDED) return;
  calls.push({ method, atMs: clock.nowMs(), roles: context.certifiedPeer()?.organizations ?? [] });
}

interface FaultyCall {
  readonly deps: CallFaultDeps;
  readonly context: CallContext;
  readonly fault: CallFault | undefined;
}

async function* faulty(
  { deps, context, fault }: FaultyCall,
  serve: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  switch (fault?.fault) {
    case 'refuse':
      throw grpcError(fault.status, fault.message ?? 'refused by the test');
    case 'hang':
      return await aborted(context.signal);
    case 'answer':
      return yield fault.message;
    case 'slow':
      await deps.clock.sleep(fault.delayMs, context.signal);
      return yield* serve();
    case 'drop-after':
      // Everything that the call does has happened when its last answer is there.
      for await (const _ of serve());
      return deps.cut(context.peer);
    default:
      yield* serve();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
