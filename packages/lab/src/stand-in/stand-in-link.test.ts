import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { machineReports } from '@bloomery/siderolink';
import { joinStandInLink } from './stand-in-link.ts';

const deps = { clock: systemClock, log: silentLog, random: randomBytes };
const nowhere = { kernelLogDestinations: [] };

describe("the stand-in's link", () => {
  it('keeps events while nobody is named who takes them, also over new settings', async () => {
    const link = joinStandInLink(nowhere, deps);
    const reports = machineReports(link.events, systemClock);
    reports.stage('BOOTING');
    reports.stage('INSTALLING');
    assert.equal(link.events.backlog, 2);
    await link.settle({ ...nowhere, eventSink: '[fdae:41e4:649b:9303::1]:4002' });
    assert.equal(link.events.backlog, 2);
    await link.settle({ ...nowhere, eventSink: '[fdae:41e4:649b:9303::1]:4002' });
    reports.stage('REBOOTING');
    assert.equal(link.events.backlog, 3);
    assert.equal(await link.events.drained(1), false);
    await link.leave();
  });
});
