import { parentPort, workerData } from 'node:worker_threads';
import { isBloomeryError } from '@bloomery/ports';
import { type ConfigQuestion, readConfig } from './read-config.ts';
import type { ThreadAnswer } from './read-config-aside.ts';

const question: ConfigQuestion = workerData;

function answered(): ThreadAnswer {
  try {
    return { reading: readConfig(question) };
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    return { refusal: { code: error.code, message: error.message, facts: error.facts } };
  }
}

parentPort?.postMessage(answered());
