/** `make demo-stop`: ends exactly what the demo started; disks, logs and the plane's data stay until the next demo. */
import { existsSync } from 'node:fs';
import { stopRack } from '../rack/rack.ts';
import { demoPlaces } from './demo-places.ts';

const { network, rackDir } = demoPlaces(process.env);
const ran = existsSync(rackDir);
await stopRack(network, rackDir);
console.log(ran ? `demo: stopped; its logs stay in ${rackDir}` : 'demo: nothing to stop');
