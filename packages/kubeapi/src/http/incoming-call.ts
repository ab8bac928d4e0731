import type { Http2ServerRequest } from 'node:http2';
import type { Clock } from '@bloomery/ports';
import type { User } from '../auth/user.ts';
import type { ApiRequest } from './api-request.ts';
import type { ListenLimits } from './listen-limits.ts';
import { receiveBody } from './receive-body.ts';

/** One request as a socket carried it. Query and signal are made only for those who look at them: most requests need neither. */
export class IncomingCall implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly headers: ApiRequest['headers'];
  readonly user: User | undefined;
  readonly body: () => Promise<Uint8Array>;
  readonly #request: Http2ServerRequest;
  readonly #search: string;
  #query: URLSearchParams | undefined;
  #gone: AbortController | undefined;
  #isGone = false;

  constructor(
    request: Http2ServerRequest,
    { user, limits, clock }: { readonly user: User | undefined; readonly limits: ListenLimits; readonly clock: Clock },
  ) {
    const { url } = request;
    const at = url.indexOf('?');
    this.method = request.method;
    this.url = url;
    this.path = at < 0 ? url : url.slice(0, at);
    this.headers = headersOf(request);
    this.user = user;
    this.body = () => receiveBody(request, limits, clock);
    this.#request = request;
    this.#search = at < 0 ? '' : url.slice(at + 1);
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }

  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get sourceAddress(): string | undefined {
    return this.#request.socket?.remoteAddress;
  }

  /** The caller is gone, or the server stops. */
  abort(): void {
    this.#isGone = true;
    this.#gone?.abort();
  }
}

/** Node joins the lines of every header with a comma, except for set-cookie, which no request means. */
export function headersOf(request: Pick<Http2ServerRequest, 'headers'>): ApiRequest['headers'] {
  const { headers } = request;
  if (headers['set-cookie'] !== undefined) delete headers['set-cookie'];
  return headers as ApiRequest['headers'];
}
