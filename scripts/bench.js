// `npm run bench`: what Convene is measured against is installed only here, and only when something is measured.
import { launch } from './launch.js';

const args = process.argv.slice(2);
const asks = args.some((arg) => ['--help', '-h'].includes(arg));
launch('bench/main.ts', args, asks ? [] : ['bench']);
