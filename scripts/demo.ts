/**
 * `npm run demo [-- <base URL>]`: drives a running service as its clients would, over HTTP and WebSocket, and tells
 * what happened. Without a URL it starts a service of its own in a temporary folder. Exits with 1 when anything is off.
 */
import { logIn, openAccounts } from './demo/account.ts';
import { moveAndCancel, openFourWeeks, race } from './demo/booking.ts';
import { createClient, DemoFailed } from './demo/client.ts';
import { estimate } from './demo/estimation.ts';
import { analytics, audit, lendRole } from './demo/oversight.ts';
import { createReport, type Report } from './demo/report.ts';
import { type Service, startService } from './demo/service.ts';

const CLIENTS = 200;

const given = (base: string): Service => {
  const { CONVENE_ADMIN_EMAIL: email = 'admin@example.org', CONVENE_ADMIN_PASSWORD: password } = process.env;
  if (password === undefined)
    throw new DemoFailed(
      [
        'To use a running service, name its administrator: CONVENE_ADMIN_PASSWORD (and CONVENE_ADMIN_EMAIL unless it is',
        'admin@example.org). Its own password lies in <data folder>/secrets/admin-password. The service must keep its mails',
        'in the outbox (none configured, not in production), and run with RATE_LIMIT_SCALE=1000: 201 registrations from one',
        'address are what rate limits refuse.',
      ].join('\n'),
    );
  return { base: base.replace(/\/+$/, ''), email, password, own: false, stop: async () => {} };
};

const play = async (service: Service, report: Report): Promise<void> => {
  const client = createClient(service.base, report);
  const run = Date.now().toString(36);
  const since = new Date().toISOString();
  const admin = await logIn(client, service.email, service.password, 'Administrator');

  report.step(`${CLIENTS} clients and a provider open accounts`);
  const names = ['Provider', ...Array.from({ length: CLIENTS }, (_, index) => `Client${index + 1}`)];
  const [provider, ...clients] = await openAccounts(client, report, admin, names, run);
  if (provider === undefined) throw new DemoFailed('No provider');

  report.step('The provider opens four weeks of slots');
  const slots = await openFourWeeks(client, report, admin, provider);

  report.step(`${CLIENTS} clients race for 20 slots`);
  const bookings = await race(client, report, provider, clients, slots);

  report.step('Moves and cancellations');
  const { moved, cancelled } = await moveAndCancel(client, report, provider, bookings);

  report.step('Eight people estimate, cards face down');
  const table = clients.slice(20, 28);
  const outsider = clients[30];
  const [facilitator] = table;
  const [oneMoved] = moved;
  if (facilitator === undefined || outsider === undefined || oneMoved === undefined)
    throw new DemoFailed('Too few people');
  const estimated = await estimate(client, report, table, outsider);

  report.step('A role is given, used and taken away; its holder reads the audit trail');
  await lendRole(client, report, admin, outsider, run, () =>
    audit(client, report, outsider, { since, moved: oneMoved, booked: bookings.length, estimated, alone: service.own }),
  );

  report.step('The figures');
  await analytics(client, report, {
    provider,
    facilitator,
    booked: bookings.length,
    cancelled: cancelled.length,
    estimated,
  });
};

const [base] = process.argv.slice(2);
const report = createReport();
let service: Service | undefined;
try {
  service = base === undefined ? await startService() : given(base);
  report.say(`Service at ${service.base}${service.own ? ', started for this demonstration' : ''}`);
  await play(service, report);
} catch (error) {
  report.check(error instanceof DemoFailed ? error.message : String(error), false);
}
const failures = report.finish();
await service?.stop();
process.exitCode = failures === 0 ? 0 : 1;
