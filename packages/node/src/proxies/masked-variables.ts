import type { Environment } from '@bloomery/siderolink';

const MASK = '***';
const SECRET_NAME = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY/i;
/** From the scheme (if any) to the last `@`: whatever stands there, also what should have been escaped. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)@/is;

/** Variables as `NAME=value`, by name, without passwords: neither of addresses nor of variables whose name says that they are secret. */
export function maskedVariables(variables: Environment): readonly string[] {
  return Object.entries(variables)
    .map(([name, value = '']) => `${name}=${SECRET_NAME.test(name) ? MASK : maskUserInfo(value)}`)
    .sort();
}

function maskUserInfo(value: string): string {
  return value.replace(USER_INFO, (_whole, scheme: string | undefined, userInfo: string) => {
    const colon = userInfo.indexOf(':');
    return `${scheme ?? ''}${colon < 0 ? userInfo : `${userInfo.slice(0, colon)}:${MASK}`}@`;
  });
}
