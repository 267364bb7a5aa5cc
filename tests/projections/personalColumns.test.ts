import t from 'tap';
import type { Recorded } from '../../src/eventstore/event.ts';
import { changesTo, foldAll, subscriptionOf, touches } from '../../src/projections/folding.ts';
import { projections } from '../../src/projections/index.ts';
import type { AnyProjection } from '../../src/projections/projection.ts';
import type { Row } from '../../src/projections/table.ts';

/**
 * Every column that can hold text, by read model. Personal ones are blanked by an erasure; the others hold ids, words
 * of closed lists, keyed hashes, or what people write about work and not about a person.
 */
const COLUMNS: Readonly<Record<string, { readonly personal: string; readonly other: string }>> = {
  permissions: { personal: '', other: 'name description context' },
  roles: { personal: '', other: 'name description permissions parent_role_ids' },
  role_assignments: { personal: '', other: 'key assigned_by reason' },
  accounts: {
    personal: 'email display_name photo_url phone_number phones timezone language preferences',
    other: 'plan subscription_status status created_from',
  },
  login_sessions: { personal: 'device ip user_agent', other: 'method' },
  login_history: { personal: 'attempts', other: '' },
  token_revocations: { personal: '', other: 'stream' },
  api_keys: { personal: 'name', other: 'key_hash prefix permissions' },
  suspicious_signs: { personal: '', other: 'key signs' },
  second_factors: { personal: 'devices', other: '' },
  provider_profiles: {
    personal: 'display_name bio meeting_link location exceptions',
    other: 'timezone currency weekly',
  },
  time_slots: { personal: '', other: 'slot_id appointment_id' },
  appointments: {
    personal: 'notes cancel_reason',
    other: 'appointment_id slot_id status timezone booked_by outcome cancelled_by history',
  },
  waiting_entries: { personal: '', other: 'entry_id from_date to_date ended_because slot_id' },
  emails: { personal: 'recipient', other: 'template status last_error appointment_id' },
  calendar_syncs: { personal: '', other: 'sync_id appointment_id party status event_id last_error' },
  integrations: { personal: 'external_account', other: 'provider scopes status' },
  estimation_sessions: { personal: '', other: 'code name status state' },
  estimation_stories: { personal: '', other: 'title description external_ref url rounds' },
  session_members: { personal: '', other: 'member_id role membership' },
  session_names: { personal: 'names', other: '' },
  own_votes: { personal: '', other: 'vote_id value' },
  session_history: { personal: '', other: 'type actor_id detail' },
  appointment_figures: { personal: '', other: 'appointment_id status outcome currency' },
  story_figures: { personal: '', other: 'revealed estimate' },
  audit_entries: {
    personal: '',
    other:
      'user_id actor_id actor_type account_id action type context target_type target_id stream outcome role_id ' +
      'permission command correlation_id causation_id session_id summary code method path continues ip_hash',
  },
};

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

const all: readonly AnyProjection[] = projections;
const textual = ({ columns }: AnyProjection): readonly string[] =>
  Object.entries(columns)
    .filter(([, { sql }]) => /^(?:text|jsonb?)/.test(sql))
    .map(([name]) => name);

t.test('every column that can hold text is known to be personal or not', async (t) => {
  t.ok(all.length > 15, `saw ${all.length} read models`);
  for (const projection of all) {
    const known = COLUMNS[projection.name];
    const listed = [...words(known?.personal ?? ''), ...words(known?.other ?? '')];
    t.strictSame([...textual(projection)].sort(), [...listed].sort(), projection.name);
  }
});

const PERSON = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';
const OTHER = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e02';
const CANARY = 'nightingale';

const erased = {
  id: '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02',
  type: 'AccountErased',
  data: { accountId: PERSON, by: 'owner', emailHash: 'hash', at: '2026-03-02T10:15:00.000Z' },
  stream: `account-${PERSON}`,
  revision: 7,
  position: 42n,
  recordedAt: '2026-03-02T10:15:00.000Z',
  schemaVersion: 1,
  metadata: { commandId: 'c', command: 'EraseAccount', correlationId: 'c', actor: { id: PERSON, kind: 'user' } },
} as const satisfies Recorded<'AccountErased'>;

/** A row of somebody's with the canary in every column that can hold it. */
const rowOf = (projection: AnyProjection, key: string, accountId: string): Row => ({
  ...Object.fromEntries(
    Object.entries(projection.columns).map(([name, { sql }]) => {
      if (sql === 'text') return [name, CANARY];
      return [name, sql === 'jsonb' ? [{ [CANARY]: CANARY }] : null];
    }),
  ),
  ...(projection.erasure === undefined ? {} : { [projection.erasure.column]: accountId }),
  [projection.key.column]: key,
});

t.test('an erasure takes what is personal out of every row of the person, and of nobody else', async (t) => {
  const concerned = all.filter(({ name }) => COLUMNS[name]?.personal !== '');
  t.ok(concerned.length > 6, `saw ${concerned.length} read models with personal columns`);
  for (const projection of concerned) {
    const { name, erasure, key } = projection;
    t.ok(subscriptionOf(projection).includes('AccountErased'), `${name} hears of it`);
    const ofPerson = erasure === undefined || erasure.column === key.column;
    const before = new Map(
      ofPerson
        ? [
            [PERSON, rowOf(projection, PERSON, PERSON)],
            [OTHER, rowOf(projection, OTHER, OTHER)],
          ]
        : [
            ['one', rowOf(projection, 'one', PERSON)],
            ['two', rowOf(projection, 'two', PERSON)],
            ['three', rowOf(projection, 'three', OTHER)],
          ],
    );
    const after = foldAll(
      projection,
      touches(projection, [erased]),
      (key) => before.get(key),
      () => before.keys(),
    );
    const { inserted, updated, deleted } = changesTo(after, (key) => before.has(key));
    t.strictSame(inserted, [], name);
    t.equal(updated.length + deleted.length, ofPerson ? 1 : 2, `${name}: the rows of the person`);
    for (const row of updated)
      for (const column of words(COLUMNS[name]?.personal ?? ''))
        t.notMatch(JSON.stringify(row[column]), new RegExp(CANARY), `${name}.${column}`);
  }
});
