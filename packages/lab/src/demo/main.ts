/** `make demo` */
import { BloomeryError } from '@bloomery/ports';
import { demoPlaces } from './demo-places.ts';
import { runDemo } from './run-demo.ts';

const say = (line: string): void => console.log(line === '' ? '' : `${new Date().toTimeString().slice(0, 8)}  ${line}`);
try {
  await runDemo(demoPlaces(process.env), say);
  process.exit(0);
} catch (error) {
  if (!(error instanceof BloomeryError)) throw error;
  console.error(`demo: ${error.message}\ntry: make demo-stop, and read the logs in ${demoPlaces(process.env).rackDir}`);
  process.exit(1);
}
