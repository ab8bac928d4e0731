import { readCertificate } from '../certificates/index.ts';
import { readPrivateKey } from '../certificates/private-key.ts';
import { parseGoUrl } from '../config/go-url.ts';
import type { YamlMap } from '../yaml/index.ts';
import type { DocumentValidators } from './documents.ts';
import { needName } from './link-documents.ts';
import { type Findings, flagAt, isSet, mapAt, mapsAt, quoted, textAt } from './section.ts';

/** Documents about container registries and their images. */
export const REGISTRY_DOCUMENTS: DocumentValidators = {
  RegistryAuthConfig: auth,
  RegistryMirrorConfig: mirror,
  RegistryTLSConfig: tls,
  ImageVerificationConfig: (document, found) => {
    for (const [at, rule] of mapsAt(document, 'rules').entries()) verificationRule(at, rule, found);
  },
};

function auth(document: YamlMap, found: Findings): void {
  needName(document, found);
  const has = (key: string): boolean => textAt(document, key) !== '';
  if (has('username') && has('identityToken')) {
    found.errors.push('only one of username/password or identityToken authentication can be specified');
  }
  if (has('auth') && (has('username') || has('identityToken'))) {
    found.errors.push('only one of auth, username/password or identityToken authentication can be specified');
  }
}

function mirror(document: YamlMap, found: Findings): void {
  needName(document, found);
  for (const [at, endpoint] of mapsAt(document, 'endpoints').entries()) {
    const url = isSet(endpoint, 'url') ? parseGoUrl(textAt(endpoint, 'url')) : undefined;
    if (url === undefined || 'problem' in url) found.errors.push(`endpoints[${at}].url must be specified`);
    else if (url.scheme !== 'http' && url.scheme !== 'https') {
      found.errors.push(`endpoints[${at}].url has unsupported scheme: ${quoted(url.scheme)}`);
    }
  }
}

function tls(document: YamlMap, found: Findings): void {
  needName(document, found);
  const ca = textAt(document, 'ca');
  if (ca !== '' && isUnreadable(() => readCertificate(ca))) {
    found.errors.push('ca must be a valid PEM-encoded certificate');
  }
  const identity = mapAt(document, 'clientIdentity');
  if (identity === undefined) return;
  if (isUnreadable(() => readCertificate(textAt(identity, 'cert')))) {
    found.errors.push('client identity certificate is invalid: failed to parse PEM block');
  }
  if (isUnreadable(() => readPrivateKey(textAt(identity, 'key')))) {
    found.errors.push('client identity key is invalid: failed to parse PEM block');
  }
}

function isUnreadable(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch {
    return true;
  }
}

function verificationRule(at: number, rule: YamlMap, found: Findings): void {
  const say = (problem: string): void => {
    found.errors.push(`rule ${at}: ${problem}`);
  };
  found.warnings.push(...patternWarnings(textAt(rule, 'image')).map((warning) => `rule ${at}: ${warning}`));
  if (textAt(rule, 'image') === '') say('imagePattern must be specified');
  const skips = flagAt(rule, 'skip');
  const denies = flagAt(rule, 'deny');
  const keyless = mapAt(rule, 'keyless');
  const publicKey = mapAt(rule, 'publicKey');
  const verifies = keyless !== undefined || publicKey !== undefined;
  if (skips && denies) say('skip and deny cannot both be true');
  if ((skips || denies) && verifies) say('verifiers cannot be configured if skip or deny is true');
  if (!skips && !denies && !verifies) say('at least one verifier must be configured');
  if (keyless !== undefined && publicKey !== undefined) {
    say('only one of keyless or publicKey verifier can be configured');
  }
  if (keyless !== undefined && textAt(keyless, 'issuer') === '') say('verifier OIDC issuer must be specified');
  if (keyless !== undefined && textAt(keyless, 'subject') === '' && textAt(keyless, 'subjectRegex') === '') {
    say('verifier subject or subjectRegex must be specified');
  }
  if (publicKey !== undefined && textAt(publicKey, 'certificate') === '') {
    say('verifier certificates must be specified');
  }
}

function patternWarnings(pattern: string): string[] {
  const only = 'but matching only applies to the image registry and repository, not the tag or digest';
  const slash = pattern.indexOf('/');
  const warnings: string[] = [];
  if (pattern.includes('@')) warnings.push(`imagePattern contains '@' ${only}`);
  if (slash >= 0 && pattern.slice(slash + 1).includes(':')) warnings.push(`imagePattern contains ':' ${only}`);
  if (slash < 0 && pattern !== '*' && pattern !== '') {
    const how = "image references like 'nginx' are matched as 'docker.io/nginx' (normalized)";
    warnings.push(`imagePattern does not contain a '/', ${how}`);
  }
  return warnings;
}
