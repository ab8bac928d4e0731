/**
 * The closed union of reasons why a Server, MetalMachine, Environment, … is not where it should be.
 * `short` is the WAITING-FOR column (at most 40 characters), `doc` explains it in the reference, `normal` waits pass by themselves.
 */
export const WAIT_REASONS = {
  WaitingForAccept: { short: 'accept', normal: true, doc: 'The Server registered and nobody accepted it yet.' },
  Wiping: { short: 'wipe', normal: true, doc: 'The agent is wiping the disks.' },
  WaitingForAgent: {
    short: 'agent to report',
    normal: true,
    doc: 'The machine was powered towards the network and its agent has not reported yet.',
  },
} as const;

export type WaitReason = keyof typeof WAIT_REASONS;
