import t from 'tap';
import {
  completeSlotGeneration,
  createProviderProfile,
  generateTimeSlots,
  type ProviderEvent,
  provider,
  resumeSlotGeneration,
  setAvailability,
  updateProviderProfile,
} from '../../../src/domain/booking/provider/index.ts';
import { id, newId, spec, user } from '../../support/spec.ts';

const given = spec(provider);
const providerId = id('provider');
const doctor = user(providerId, 'manage:availability', 'manage:provider-appointments');
const admin = user(id('admin'), '*:*');

const created: ProviderEvent = {
  type: 'ProviderProfileCreated',
  data: {
    providerId,
    accountId: providerId,
    displayName: 'Dr. Ada Weber',
    bio: null,
    timezone: 'Europe/Luxembourg',
    meetingLink: null,
    location: null,
    priceCents: null,
    currency: null,
  },
};
const MORNING = { dayOfWeek: 1, intervals: [{ start: '09:00', end: '12:00' }] };
const set = (weekly = [MORNING], timezone = 'Europe/Luxembourg'): ProviderEvent => ({
  type: 'AvailabilitySet',
  data: {
    ...{ providerId, timezone, weekly, slotDurationMinutes: 30, minNoticeMinutes: 60, maxAdvanceDays: 90 },
    ...{ bufferMinutes: 0, cancelCutoffMinutes: 0, moveCutoffMinutes: 0 },
  },
});
const WORKDAYS = [1, 2, 3, 4, 5].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '17:00' }] }));
const started = (latestEnd: string | null): ProviderEvent => ({
  type: 'SlotGenerationStarted',
  data: {
    providerId,
    generationId: newId('generation'),
    from: '2026-03-09',
    to: '2026-03-09',
    timezone: 'Europe/Luxembourg',
    hours: [MORNING],
    notBefore: '2026-03-02T10:00:00.000Z',
    skipExisting: true,
    slots: 6,
    latestEnd,
  },
});

t.test('creating a provider profile', async (t) => {
  const input = { accountId: providerId, displayName: '  Dr. Ada Weber ' };
  t.test('makes the account a provider with the default zone', async () =>
    given().when(createProviderProfile, input, admin, { accountExists: true }).then(created),
  );
  t.test('is refused a second time', async () =>
    given(created).when(createProviderProfile, input, admin, { accountExists: true }).rejected('profile-exists'),
  );
  t.test('is refused for an account that does not exist', async () =>
    given().when(createProviderProfile, input, admin, { accountExists: false }).rejected('account-unknown'),
  );
  t.test('is refused with a link that is not https, a price below zero or an unknown currency', async () => {
    for (const [field, value] of [
      ['meetingLink', 'http://meet.example'],
      ['priceCents', -1],
      ['priceCents', 1_000_000_001],
      ['currency', 'XXQ'],
      ['timezone', 'Mars/Olympus'],
    ] as const)
      given()
        .when(createProviderProfile, { ...input, [field]: value }, admin, { accountExists: true })
        .rejected('input-invalid', field);
  });
});

t.test('updating a provider profile', async (t) => {
  const {
    accountId: _account,
    timezone: _zone,
    ...fields
  } = created.data as Extract<ProviderEvent, { type: 'ProviderProfileCreated' }>['data'];
  const facts = { fields, version: 0 };
  const input = { displayName: 'Dr. Ada Weber' };
  const updated: ProviderEvent = {
    type: 'ProviderProfileUpdated',
    data: { ...fields, accountId: providerId, timezone: 'Europe/Luxembourg', displayName: 'Dr. Ada Braun' },
  };
  const off: ProviderEvent = { type: 'ProviderDeactivated', data: { providerId } };
  const on: ProviderEvent = { type: 'ProviderActivated', data: { providerId } };
  t.test('replaces the fields, by the provider or an administrator', async () => {
    given(created).when(updateProviderProfile, { displayName: 'Dr. Ada Braun' }, doctor, facts).then(updated);
    given(created)
      .when(updateProviderProfile, { displayName: 'Dr. Ada Braun', providerId }, admin, facts)
      .then(updated);
  });
  t.test('changes nothing when it is so already', async () =>
    given(created).when(updateProviderProfile, input, doctor, facts).nothing(),
  );
  t.test('closes and opens the calendar', async (t) => {
    const closed = given(created).when(updateProviderProfile, { ...input, active: false }, doctor, facts);
    closed.then(off);
    t.equal(closed.state.profile?.active, false);
    given(created, off)
      .when(updateProviderProfile, { ...input, active: true }, doctor, { fields, version: 1 })
      .then(on);
    given(created, off)
      .when(updateProviderProfile, { ...input, active: false }, doctor, { fields, version: 1 })
      .nothing();
  });
  t.test('is refused to others, without a profile, for another version or a zone in use', async () => {
    given(created)
      .when(updateProviderProfile, { ...input, providerId }, user(id('other')), facts)
      .rejected('not-own-profile');
    given()
      .when(updateProviderProfile, { ...input, providerId }, admin, facts)
      .rejected('provider-unknown');
    given().when(updateProviderProfile, input, doctor, facts).rejected('no-provider-profile');
    given(created)
      .when(updateProviderProfile, { ...input, version: 3 }, doctor, facts)
      .rejected('stale-version');
    given(created, started('2026-03-09T11:00:00.000Z'))
      .when(updateProviderProfile, { ...input, timezone: 'Asia/Kolkata' }, doctor, facts)
      .rejected('zone-in-use', 'timezone');
  });
});

t.test('setting the availability', async (t) => {
  t.test('keeps working hours in order and fills in notice and horizon', async () =>
    given(created)
      .when(setAvailability, { weekly: [MORNING, { dayOfWeek: 2, intervals: [] }] }, doctor)
      .then(set()),
  );
  t.test('changes nothing when it is so already', async () =>
    given(created, set())
      .when(setAvailability, { weekly: [MORNING] }, doctor)
      .nothing(),
  );
  t.test('is refused without a profile', async () =>
    given().when(setAvailability, { weekly: [] }, doctor).rejected('no-provider-profile'),
  );
  t.test('is refused when meant for another version', async () =>
    given(created, set()).when(setAvailability, { weekly: [], version: 0 }, doctor).rejected('stale-version'),
  );
  t.test('names the field that is wrong', async () => {
    const day = (...intervals: { start: string; end: string }[]) => ({ weekly: [{ dayOfWeek: 1, intervals }] });
    const refused = (input: ReturnType<typeof day>, field: string) =>
      given(created).when(setAvailability, input, doctor).rejected('input-invalid', field);
    refused(day({ start: '10:00', end: '09:00' }), 'weekly.0.intervals.0.end');
    refused(day({ start: '09:10', end: '10:00' }), 'weekly.0.intervals.0.start');
    refused(day({ start: '09:00', end: '11:00' }, { start: '10:30', end: '12:00' }), 'weekly.0.intervals.1');
    refused({ weekly: [MORNING, MORNING] }, 'weekly.1.dayOfWeek');
  });
  t.test('leaves the zone alone while slots lie ahead', async () => {
    const move = { weekly: [MORNING], timezone: 'Asia/Kolkata' };
    given(created, set(), started('2026-03-09T11:00:00.000Z'))
      .when(setAvailability, move, doctor)
      .rejected('zone-in-use', 'timezone');
    given(created, set(), started('2026-03-02T10:00:00.000Z'))
      .when(setAvailability, move, doctor)
      .then(set([MORNING], 'Asia/Kolkata'));
  });
});

t.test('generating slots', async (t) => {
  const plan = (input: object, ...past: ProviderEvent[]) =>
    given(created, ...past).when(generateTimeSlots, { from: '2026-03-09', to: '2026-03-09', ...input }, doctor);

  t.test('plans the working hours of each day', async () => plan({}, set()).then(started('2026-03-09T11:00:00.000Z')));
  t.test('takes hundreds at once', async (t) => {
    const { outcome } = plan({ to: '2026-03-20' }, set(WORKDAYS));
    t.match(outcome, [{ data: { slots: 160 } }]);
  });
  t.test('is refused beyond 5,000', async () =>
    plan(
      { to: '2027-03-09' },
      set([1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '06:00', end: '20:00' }] }))),
    ).rejected('too-many-slots', 'to'),
  );
  t.test('keeps other patterns inside the working hours', async (t) => {
    const hours = (input: object) => {
      const { outcome } = plan({ to: '2026-03-15', ...input }, set(WORKDAYS));
      return 'reason' in outcome ? outcome.reason : outcome.map(({ data }) => ('hours' in data ? data.hours : []))[0];
    };
    const intervals = [{ start: '16:00', end: '18:00' }];
    t.strictSame(hours({ pattern: 'custom', daysOfWeek: [5, 6], intervals }), [
      { dayOfWeek: 5, intervals: [{ start: '16:00', end: '17:00' }] },
    ]);
    t.equal(hours({ pattern: 'daily', intervals })?.length, 5);
    t.equal(hours({ pattern: 'weekdays' })?.length, 5);
  });
  t.test('leaves out what has passed today', async (t) => {
    const { outcome } = plan({ from: '2026-03-02', to: '2026-03-02' }, set());
    t.match(outcome, [{ data: { slots: 2, latestEnd: '2026-03-02T11:00:00.000Z' } }]);
  });
  t.test(
    'is refused for days that are over, a range that is too long or turned round, a pattern without days',
    async () => {
      plan({ from: '2026-03-01' }, set()).rejected('in-the-past', 'from');
      plan({ to: '2026-03-08' }, set()).rejected('input-invalid', 'to');
      plan({ to: '2027-03-11' }, set()).rejected('input-invalid', 'to');
      plan({ pattern: 'custom' }, set()).rejected('input-invalid', 'daysOfWeek');
      plan({ from: 'tomorrow' }, set()).rejected('input-invalid', 'from');
    },
  );
  t.test('is refused without a profile', async () =>
    given().when(generateTimeSlots, { from: '2026-03-09', to: '2026-03-09' }, doctor).rejected('no-provider-profile'),
  );
  t.test('notes its result once', async () => {
    const generationId = newId('generation');
    const result = {
      providerId,
      generationId,
      created: 6,
      skipped: 0,
      firstStart: '2026-03-09T08:00:00.000Z',
      lastEnd: '2026-03-09T11:00:00.000Z',
    };
    const completed: ProviderEvent = { type: 'SlotGenerationCompleted', data: result };
    const begun = started('2026-03-09T11:00:00.000Z');
    given(created, set(), begun).when(completeSlotGeneration, result).then(completed);
    given(created, set(), begun, completed).when(completeSlotGeneration, result).nothing();
    given(created).when(completeSlotGeneration, result).nothing();
    given(created, begun).when(resumeSlotGeneration, { providerId, generationId }).nothing();
  });
});
