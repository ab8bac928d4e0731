const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000001 };
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** Read a `grpc-timeout` header, in milliseconds. Undefined when it is not one. @see gRPC over HTTP2, Requests */
export function parseGrpcTimeout(text: string): number | undefined {
  const match = TIMEOUT.exec(text.slice(0, 10));
  const unit = UNIT_MS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** Write a `grpc-timeout` header for a positive number of milliseconds. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return ms < 100_000_000 ? `${ms}m` : `${Math.min(99_999_999, Math.ceil(ms / 1_000))}S`;
}
