export * from './dns-answer.ts';
export * from './dns-code.ts';
export * from './dns-edns.ts';
export * from './dns-message.ts';
export * from './dns-name.ts';
export * from './dns-query.ts';
export * from './dns-record.ts';
export * from './dns-trace.ts';
