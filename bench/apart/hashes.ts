/**
 * What a log-in costs at least, in a process of its own: passwords compared by bcrypt, so many under way at once, and
 * nothing else. Takes a task as JSON on standard input, tells `{"perSecond"}` as JSON on standard output.
 */
import { json } from 'node:stream/consumers';
import { compare, hashSync } from '@node-rs/bcrypt';
import { z } from 'zod';
import { repeated } from '../service/repeated.ts';

const Task = z.object({ cost: z.int(), atOnce: z.int(), seconds: z.number() });
const { cost, atOnce, seconds } = Task.parse(await json(process.stdin));

const PASSWORD = 'Bench-horse-7';
const hash = hashSync(PASSWORD, { cost });
const under = repeated(atOnce, async () => {
  if (!(await compare(PASSWORD, hash))) throw new Error('The password does not fit its hash');
});
const perSecond = await under.during(seconds);
await under.stop();
process.stdout.write(JSON.stringify({ perSecond }));
