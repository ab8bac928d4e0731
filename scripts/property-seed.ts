/** Loaded before each test file: property tests of fast-check draw from SEED, a whole number. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['SEED']) });
