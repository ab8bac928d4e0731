const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const EMPTY_TEXT = 'must be non-empty';

const tooLong = (max: number): string => `must be no more than ${max} characters`;

/** Why a text is no DNS subdomain of at most 253 characters; empty when it is one. The texts are those of Kubernetes. */
export function subdomainTexts(text: string): readonly string[] {
  const long = text.length > 253 ? [tooLong(253)] : [];
  return SUBDOMAIN.test(text) ? long : [...long, SUBDOMAIN_TEXT];
}

/** Why a text is no DNS label of at most 63 characters. */
export function labelTexts(text: string): readonly string[] {
  const long = text.length > 63 ? [tooLong(63)] : [];
  if (LABEL.test(text)) return long;
  return [...long, SUBDOMAIN.test(text) ? 'must not contain dots' : LABEL_TEXT];
}

/** Why a text is no value of a label. */
export function labelValueTexts(text: string): readonly string[] {
  const long = text.length > 63 ? [tooLong(63)] : [];
  return LABEL_VALUE.test(text) ? long : [...long, VALUE_TEXT];
}

/** Why a text is no name with an optional subdomain and a slash before it. */
export function qualifiedNameTexts(text: string): readonly string[] {
  const parts = text.split('/');
  if (parts.length > 2)
    return [`a qualified name ${NAME_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const texts = prefix === undefined ? [] : prefix === '' ? [EMPTY_TEXT] : subdomainTexts(prefix);
  const size = name === '' ? [EMPTY_TEXT] : name.length > 63 ? [tooLong(63)] : [];
  const shape = QUALIFIED.test(name) ? [] : [NAME_TEXT];
  return [...texts.map((why) => `prefix part ${why}`), ...[...size, ...shape].map((why) => `name part ${why}`)];
}
