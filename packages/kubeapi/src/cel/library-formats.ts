import { Optional } from '@marcbachmann/cel-js';
import { matchesFormat } from '../schema/formats.ts';
import type { Library } from './library.ts';
import { spendText } from './work-budget.ts';

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

interface Rule {
  readonly max?: number;
  readonly text: string;
  readonly fits: (text: string) => boolean;
}

const like = (pattern: RegExp, text: string, max?: number): Rule => ({
  fits: (value) => pattern.test(value),
  text,
  ...(max === undefined ? {} : { max }),
});
const known = (format: string): Rule => ({ fits: (value) => matchesFormat(format, value), text: `invalid ${format}` });
/** A prefix of a name may end in a dash. */
const prefixed = (rule: Rule): Rule => ({ ...rule, fits: (value) => rule.fits(value.replace(/-$/, 'a')) });

const dns1123Label = like(LABEL, LABEL_TEXT, 63);
const dns1123Subdomain = like(SUBDOMAIN, SUBDOMAIN_TEXT, 253);
const dns1035Label = like(
  /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
  'a DNS-1035 label must start with an alphabetic character',
  63,
);

const RULES: Readonly<Record<string, Rule>> = {
  dns1123Label,
  dns1123Subdomain,
  dns1035Label,
  dns1123LabelPrefix: prefixed(dns1123Label),
  dns1123SubdomainPrefix: prefixed(dns1123Subdomain),
  dns1035LabelPrefix: prefixed(dns1035Label),
  labelValue: like(
    /^(?:(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
    'a valid label must be an empty string or consist of alphanumeric characters',
    63,
  ),
  qualifiedName: { fits: isQualifiedName, text: "name part must consist of alphanumeric characters, '-', '_' or '.'" },
  uri: known('uri'),
  uuid: known('uuid'),
  byte: known('byte'),
  date: known('date'),
  datetime: known('date-time'),
};

function isQualifiedName(text: string): boolean {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const [prefix] = parts.length === 2 ? parts : [];
  return parts.length <= 2 && name.length <= 63 && NAME.test(name) && (prefix === undefined || SUBDOMAIN.test(prefix));
}

class Format {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

class FormatNamespace {}

/** Kubernetes' `format.NAME()`, `format.named(NAME)` and `validate`, which gives the complaints or none. */
export const formatLibrary: Library = (define, env) => {
  env.registerType('kubernetes.NamedFormat', Format);
  env.registerType('FormatNamespace', FormatNamespace);
  env.registerConstant('format', 'FormatNamespace', new FormatNamespace());
  define('FormatNamespace.named(string): optional<kubernetes.NamedFormat>', (_: unknown, name: string) =>
    Object.hasOwn(RULES, name) ? Optional.of(new Format(name)) : Optional.none(),
  );
  for (const name of Object.keys(RULES)) {
    define(`FormatNamespace.${name}(): kubernetes.NamedFormat`, () => new Format(name));
  }
  define('kubernetes.NamedFormat.validate(string): optional<list<string>>', (format: Format, text: string) => {
    spendText(text.length);
    const rule = RULES[format.name];
    const complaints = [];
    if (rule?.max !== undefined && text.length > rule.max)
      complaints.push(`must be no more than ${rule.max} characters`);
    if (rule?.fits(text) === false) complaints.push(rule.text);
    return complaints.length === 0 ? Optional.none() : Optional.of(complaints);
  });
};
