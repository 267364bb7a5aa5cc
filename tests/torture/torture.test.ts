import t, { type Test } from 'tap';
import { examine } from './checks/index.ts';
import type { Violation } from './checks/violation.ts';
import { inQuiet } from './quiet.ts';
import { type Aftermath, torture } from './torture.ts';

const told = (violations: readonly Violation[]): string =>
  violations.map(({ check, what }) => `${check}: ${what}`).join('\n');

/** The checks must find what is wrong in tables and log of a real run, or their silence means nothing. */
const plant =
  (t: Test) =>
  async (aftermath: Aftermath): Promise<void> => {
    const { world, ledger } = aftermath;
    const pool = world.pool();
    // A timer may come due meanwhile: what it appends between two looks of the checks is no violation.
    const found = async (): Promise<string> =>
      told((await inQuiet(world, (world) => examine(world, ledger))).violations);
    await pool.query(
      `delete from read.appointments where appointment_id = (select min(appointment_id) from read.appointments);
       insert into read.appointments
         select (jsonb_populate_record(a, '{"appointment_id": "twin"}')).* from read.appointments a limit 1;
       update read.time_slots set appointment_id = null where appointment_id is not null`,
    );
    const inTables = await found();
    t.match(inTables, /appointments: \S+ is missing/, 'a row that is missing');
    t.match(inTables, /appointments: twin is listed without a booking/, 'a booking that is listed twice');
    t.match(inTables, /time_slots: \S+ is shown as taken by nobody/, 'a slot that is offered twice');
    t.match(inTables, /appointments: 2 rows differ from a fresh rebuild/, 'rows that a rebuild makes otherwise');
    t.notMatch(inTables, /^(?:order|acknowledged|booking|votes|administrators|audit): /m, 'and nothing else');

    await pool.query(
      `update log.events set data = replace(data, '"Story"', '"Tale"') where type = 'StoryAdded';
       delete from log.events where position = (select min(position) from log.events where type = 'AppointmentBooked')`,
    );
    const inLog = await found();
    t.match(inLog, /^order: positions \d+ to \d+ are missing/m, 'an event that was deleted');
    t.match(inLog, /^acknowledged: an acknowledged command is not in the log/m, 'a command that was lost');
    t.match(inLog, /^audit: /m, 'bytes that were altered');
  };

const ATTACKED = 'a service that is killed with its database, and one whose answers are lost';

t.test(ATTACKED, { timeout: 200_000 }, async (t) => {
  const lines: string[] = [];
  const options = {
    rounds: 2,
    seed: 5,
    faults: ['kill-both', 'lose-answers'],
    store: 'postgres',
    eventStoreCommand: undefined,
    clients: 4,
    commands: 6,
    freezeMs: 1_000,
    thorough: false,
    print: (line: string) => void lines.push(line),
  } as const;
  const result = await torture(options, plant(t));
  t.strictSame(result.violations, [], lines.join('\n'));
  t.ok((result.outcomes?.acknowledged ?? 0) > 20, 'much was acknowledged');
  t.ok(result.events > 100, 'and found in the log');
});
