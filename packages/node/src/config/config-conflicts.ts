import { isLegacy, type LocatedDocument, mapAt, mapsAt, numberAt, textAt, type YamlMap } from '@bloomery/talos';

/** Kinds of documents that make the link they name. */
const MAKES_LINK = [
  'BondConfig',
  'BridgeConfig',
  'DummyLinkConfig',
  'VLANConfig',
  'VRFConfig',
  'VethConfig',
  'WireguardConfig',
];

/** Something that defines a link, and where it stands. */
interface Definition {
  readonly what: string;
  readonly line: number;
  /** `makes`: a section of the v1alpha1 document that makes the link; `configures`: one that only configures it. */
  readonly role: 'makes' | 'configures' | 'document';
}

const areExclusive = (a: Definition, b: Definition): boolean =>
  a.role === 'document' || b.role === 'document' || (a.role === 'makes' && b.role === 'makes');

/** Links that are defined twice in ways that cannot both hold, with both places. */
export function configConflicts(documents: readonly LocatedDocument[]): string[] {
  const legacy = documents.find(isLegacy);
  const definitions = new Map<string, Definition>();
  const problems: string[] = [];
  const define = (name: string, definition: Definition): void => {
    const other = definitions.get(name);
    if (other === undefined) definitions.set(name, definition);
    else if (areExclusive(other, definition)) {
      problems.push(
        `link ${JSON.stringify(name)} is defined twice: by ${other.what} (line ${other.line}) and by ${definition.what} (line ${definition.line})`,
      );
    }
  };
  if (legacy !== undefined) for (const [name, definition] of legacyLinks(legacy)) define(name, definition);
  for (const document of documents) {
    if (!MAKES_LINK.includes(document.kind)) continue;
    const what = `${document.kind}/${document.name}`;
    define(document.name, { what, line: document.lineOf(''), role: 'document' });
    const peer = document.kind === 'VethConfig' ? textAt(mapAt(document.tree, 'peer'), 'name') : '';
    if (peer !== '' && peer !== document.name)
      define(peer, { what: `the peer of ${what}`, line: document.lineOf('peer.name'), role: 'document' });
  }
  return [...problems, ...sameVlans(documents), ...hostDnsConflict(documents, legacy)];
}

/** Links of `machine.network.interfaces` by their names. */
function legacyLinks(legacy: LocatedDocument): (readonly [name: string, definition: Definition])[] {
  return mapsAt(mapAt(legacy.tree, 'machine', 'network'), 'interfaces').flatMap((device, at) => {
    const path = `machine.network.interfaces.${at}`;
    const name = textAt(device, 'interface');
    if (name === '' || device['ignore'] === true) return [];
    const define = (link: string, what: string, role: Definition['role']): readonly [string, Definition] => [
      link,
      { what, line: legacy.lineOf(what), role },
    ];
    const vlans = mapsAt(device, 'vlans').map((vlan, index) =>
      define(`${name}.${numberAt(vlan, 'vlanId')}`, `${path}.vlans.${index}`, 'makes'),
    );
    return [define(name, path, makesLink(device) ? 'makes' : 'configures'), ...vlans];
  });
}

const makesLink = (device: YamlMap): boolean =>
  ['bond', 'bridge', 'wireguard'].some((key) => mapAt(device, key) !== undefined) || device['dummy'] === true;

/** The kernel has one link for each VLAN of a parent. */
function sameVlans(documents: readonly LocatedDocument[]): string[] {
  const known = new Map<string, LocatedDocument>();
  return documents.flatMap((document) => {
    if (document.kind !== 'VLANConfig') return [];
    const { tree } = document;
    const id = numberAt(tree, 'vlanID');
    const key = `${textAt(tree, 'parent')} ${textAt(tree, 'vlanMode') || '802.1q'} ${id}`;
    const other = known.get(key);
    known.set(key, document);
    if (other === undefined) return [];
    const where = `VLANConfig/${other.name} (line ${other.lineOf('')}) and VLANConfig/${document.name} (line ${document.lineOf('')})`;
    return [`VLAN ${id} of link ${JSON.stringify(textAt(tree, 'parent'))} is defined twice: by ${where}`];
  });
}

function hostDnsConflict(documents: readonly LocatedDocument[], legacy: LocatedDocument | undefined): string[] {
  const resolver = documents.find(
    ({ kind, tree }) => kind === 'ResolverConfig' && mapAt(tree, 'hostDNS') !== undefined,
  );
  if (resolver === undefined || mapAt(legacy?.tree, 'machine', 'features', 'hostDNS') === undefined) return [];
  const path = 'machine.features.hostDNS';
  const where = `${path}, line ${legacy?.lineOf(path) ?? 1}, and ResolverConfig hostDNS, line ${resolver.lineOf('hostDNS')}`;
  return [`host DNS is configured in both v1alpha1 and new-style configuration (${where})`];
}
