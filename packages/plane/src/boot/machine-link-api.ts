import type { LinkApi } from '@bloomery/siderolink';

/** How one machine calls the API of the link: everything but where. */
export type MachineLinkApi = Omit<LinkApi, 'endpoint'>;

/** As Sidero's machines do: plain text, no token, UDP. */
export const PLAIN_LINK_API: MachineLinkApi = { tls: false, tunnel: false };

/** How the machine of this Server calls the API of the link. The join token is a secret. */
export type LinkApiOf = (server: string) => MachineLinkApi;
