import { EVENT_REASONS } from './event-reasons.ts';

/** Reasons of the Kubernetes Events that the plane writes. */
export function eventsPage(): string {
  const rows = Object.entries(EVENT_REASONS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, { type, about, meaning }]) => `| \`${reason}\` | ${type} | ${about} | ${meaning} |`);
  return `# Events

Bloomery writes Kubernetes Events about what it does. See them with \`kubectl get events -A\` or at the end of
\`bloomery describe KIND/NAME\`. The same event raises \`count\`. Events of objects without a namespace are in namespace
\`default\`. The embedded API keeps Events for seven days.

The timeline (\`bloomery timeline server/NAME\`) holds more marks than there are Events: each step of a boot is on it. What machines
report about themselves over the link is in [machine events](machine-events.md).

| reason | type | about | meaning |
|---|---|---|---|
${rows.join('\n')}

## Waits

An object that begins to wait gets an Event whose reason is its [wait reason](wait-reasons.md): type Normal when the wait
passes by itself, Warning when somebody must act. Two waits have Events of another name: \`AllocationBlocked\` and \`Parked\`,
in the table above.
`;
}
