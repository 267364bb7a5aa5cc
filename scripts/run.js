// `node scripts/run.js <file> [arguments]`: runs a file of this checkout, such as src/main.ts, on the pinned Node.
import { launch } from './launch.js';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('Usage: node scripts/run.js <file> [arguments]');
  process.exit(2);
}
launch(file, args);
