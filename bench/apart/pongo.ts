/** One rebuild of Pongo documents by emmett's projector, in a process of its own. Task and answer as in rebuild.ts. */
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { rebuildDocuments } from '../peers/pongo.ts';

const Task = z.object({ connectionString: z.string(), collection: z.string() });
const { connectionString, collection } = Task.parse(await json(process.stdin));
const rebuilt = await rebuildDocuments(connectionString, collection);
process.stdout.write(JSON.stringify({ ...rebuilt, megabytes: process.resourceUsage().maxRSS / 1024 }));
