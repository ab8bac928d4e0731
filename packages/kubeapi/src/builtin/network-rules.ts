import { type Admission, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { changedAt, listAt, textAt } from '../json-parts.ts';
import { invalid, required } from '../schema/index.ts';

const DNS_1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const DNS_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** Defaults of a Service. No address is given out: nothing would answer there. */
export function withServiceDefaults(object: JsonObject): JsonObject {
  return changedAt(object, ['spec'], (spec) => {
    if (textAt(spec, 'type') === 'ExternalName') return spec;
    const ports = listAt(spec, 'ports').map((port: Json) =>
      isJsonObject(port) && port['targetPort'] === undefined && port['port'] !== undefined
        ? { ...port, targetPort: port['port'] }
        : port,
    );
    const families = { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
    return { ...families, ...spec, ...(ports.length === 0 ? {} : { ports }) };
  });
}

/** Checks of a Service. */
export function admitService(object: JsonObject): Admission {
  const name = textAt(object, 'metadata', 'name');
  const { spec } = object;
  const needsPorts = textAt(spec, 'type') !== 'ExternalName' && textAt(spec, 'clusterIP') !== 'None';
  return {
    problems: [
      ...(name.length <= 63 && DNS_1035.test(name) ? [] : [invalid('metadata.name', name, DNS_1035_TEXT)]),
      ...(needsPorts && listAt(spec, 'ports').length === 0 ? [required('spec.ports')] : []),
    ],
  };
}

/** A NetworkPolicy is about what comes in, and about what goes out when it says something of that. */
export function withPolicyTypes(object: JsonObject): JsonObject {
  return changedAt(object, ['spec'], (spec) => {
    if (listAt(spec, 'policyTypes').length > 0) return spec;
    return { ...spec, policyTypes: ['Ingress', ...(listAt(spec, 'egress').length > 0 ? ['Egress'] : [])] };
  });
}
