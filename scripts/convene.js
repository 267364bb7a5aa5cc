#!/usr/bin/env node
// The command `convene`.
import { launch } from './launch.js';

launch('src/cli/index.ts', process.argv.slice(2));
