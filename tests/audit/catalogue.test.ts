import t from 'tap';
import { isClaimed } from '../../src/audit/contexts.ts';
import { actionOf, actorTypes, entryOf, outcomeOf } from '../../src/audit/entry.ts';
import { marksOf } from '../../src/audit/marks.ts';
import { streamTypeNames } from '../../src/audit/streamTypes.ts';
import { catalogue, deciders } from '../../src/domain/catalogue.ts';
import type { Recorded } from '../../src/eventstore/event.ts';
import { auditEntries } from '../../src/projections/audit/auditEntries.ts';

const types = Object.keys(catalogue);

t.test('the audit trail', async (t) => {
  t.test('has an entry for every type of event', async (t) => {
    t.ok(types.length > 20);
    t.strictSame(Object.keys(auditEntries.fold).sort(), [...types].sort());
  });
  t.test('knows the context of every aggregate', async (t) => {
    t.strictSame(
      deciders.filter(({ category }) => !isClaimed(category)).map(({ category }) => category),
      [],
    );
  });
  t.test('gives every action a name of its own', async (t) => {
    t.equal(new Set(types.map(actionOf)).size, types.length);
    t.equal(actionOf('AppointmentBooked'), 'appointment_booked');
    t.equal(actionOf('PermissionGrantedToRole'), 'permission_granted_to_role');
  });
  t.test('names aggregates and the things inside them', async (t) => {
    for (const { category } of deciders) t.ok(streamTypeNames.includes(category), category);
    for (const name of ['appointment', 'story', 'session']) t.ok(streamTypeNames.includes(name), name);
  });
  t.test('tells success, refusal and failure apart', async (t) => {
    t.strictSame(['RoleAssigned', 'LoginFailed', 'RegistrationAbandoned'].map(outcomeOf), [
      'success',
      'refused',
      'failed',
    ]);
  });
});

const event = (type: string, data: object, actor: Recorded['metadata']['actor']) =>
  ({
    id: 'e',
    type,
    stream: 'loginAttempts-abc',
    revision: 3,
    position: 12n,
    recordedAt: '2027-03-01T09:00:00.000Z',
    schemaVersion: 1,
    data,
    metadata: { commandId: 'c', command: 'RecordLogin', correlationId: 'r', actor },
  }) as unknown as Recorded;
const system = { id: 'identity', kind: 'system' as const };

t.test('an entry', async (t) => {
  t.test('of a failed log-in has a stranger as actor and the account as target', async (t) => {
    const entry = entryOf(event('LoginFailed', { accountId: 'a', ip: '10.1.2.3', userAgent: 'x' }, system));
    t.match(entry, {
      user_id: null,
      actor_type: 'external',
      target_type: 'account',
      target_id: 'a',
      outcome: 'refused',
    });
    t.notMatch(JSON.stringify(entry), /10\.1\.2\.3/, 'and no address');
  });
  t.test('of a log-in has the account as actor', async (t) => {
    t.match(entryOf(event('LoginSucceeded', { accountId: 'a' }, system)), { user_id: 'a', actor_type: 'user' });
  });
  t.test('tells every kind of actor', async (t) => {
    const of = (kind: 'user' | 'api_key' | 'system' | 'anonymous') =>
      entryOf(event('AppointmentBooked', {}, { id: 'x', kind })).actor_type;
    t.strictSame((['user', 'api_key', 'system', 'anonymous'] as const).map(of), [...actorTypes]);
  });
});

t.test('marks', async (t) => {
  const marked = Object.entries(catalogue).filter(([, schema]) => marksOf(schema) !== undefined);
  t.ok(marked.length > 10, `stand on ${marked.length} types of events`);
  for (const type of ['AccountRegistered', 'AppointmentBooked', 'VoteCast', 'LoginFailed'])
    t.ok(
      marked.some(([name]) => name === type),
      type,
    );
});
