/** RFC 3339 in UTC with whole seconds, as Kubernetes writes times. */
export function timeText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
