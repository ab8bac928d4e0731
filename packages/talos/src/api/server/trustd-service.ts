import { timingSafeEqual } from 'node:crypto';
import { type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import { type Clock, errorText } from '@bloomery/ports';
import { securityProto } from '@bloomery/wire';
import { certifyPublicKey, loadCertificateAuthority, readCertificateRequest } from '../../certificates/index.ts';
import type { MachineIdentity } from './machine-identity.ts';
import { serverValidity } from './server-certificate.ts';

/**
 * trustd: signs server certificates for machines that know the machine token. For control-plane machines only.
 *
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED when the CA cannot be read.
 */
export function createTrustdService(identity: MachineIdentity & { readonly caKey: string }, clock: Clock): GrpcService {
  const authority = loadCertificateAuthority(identity.ca, identity.caKey);
  const expected = Buffer.from(identity.token);
  const knows = (given: Buffer): boolean =>
    expected.length > 0 && given.length === expected.length && timingSafeEqual(given, expected);
  return grpcService(securityProto.SecurityService, {
    certificate: ({ csr }, { metadata }) => {
      if (!knows(Buffer.from(metadata['token'] ?? ''))) throw grpcError('UNAUTHENTICATED', 'invalid token');
      const { publicKeyDer, names } = requestOf(csr);
      // Whatever else the request asks for: it never becomes a client, which would make every worker an administrator.
      const certificate = certifyPublicKey(authority, publicKeyDer, {
        ...serverValidity(clock),
        subject: names[0] === undefined ? {} : { commonName: names[0] },
        names,
        extendedKeyUsages: ['serverAuth'],
      });
      return { ca: Buffer.from(identity.ca), crt: Buffer.from(certificate) };
    },
  });
}

function requestOf(csr: Uint8Array): ReturnType<typeof readCertificateRequest> {
  try {
    return readCertificateRequest(Buffer.from(csr).toString());
  } catch (cause) {
    throw grpcError('INVALID_ARGUMENT', errorText(cause), cause);
  }
}
