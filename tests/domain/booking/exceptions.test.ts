import t from 'tap';
import {
  abandonExceptionChange,
  addAvailabilityException,
  announceSlots,
  closeProvider,
  daysToAsk,
  generateTimeSlots,
  type ProviderEvent,
  planReplacement,
  provider,
  removeAvailabilityException,
  setAvailability,
  startExceptionChange,
} from '../../../src/domain/booking/provider/index.ts';
import { id, newId, now, spec, system, user } from '../../support/spec.ts';

const given = spec(provider);
const providerId = id('provider');
const doctor = user(providerId, 'manage:availability', 'manage:provider-appointments');
const changeId = id('change');
const created: ProviderEvent = {
  type: 'ProviderProfileCreated',
  data: {
    ...{ providerId, accountId: providerId, displayName: 'Dr. Ada Weber', bio: null, timezone: 'Europe/Luxembourg' },
    ...{ meetingLink: null, location: null, priceCents: null, currency: null },
  },
};
const HOLIDAYS = { exceptionId: id('holidays'), from: '2026-03-09', to: '2026-03-13', intervals: [] };
const FAIR = {
  exceptionId: id('fair'),
  from: '2026-04-01',
  to: '2026-04-01',
  intervals: [{ start: '10:00', end: '11:00' }],
};
const input = { providerId, changeId, added: [HOLIDAYS], removed: [], cancelBooked: false };
const started = (
  more: Partial<Extract<ProviderEvent, { type: 'ExceptionChangeStarted' }>['data']> = {},
): ProviderEvent => ({
  type: 'ExceptionChangeStarted',
  data: { ...input, seq: 1, startedAt: now.toISOString(), ...more },
});
const standing = (
  exception: Omit<typeof HOLIDAYS, 'intervals'> & { intervals: { start: string; end: string }[] } = HOLIDAYS,
  more: { reason?: string | null; cancelBooked?: boolean } = {},
): ProviderEvent => ({
  type: 'AvailabilityExceptionAdded',
  data: { providerId, ...exception, closed: exception.intervals.length === 0, reason: null, changeId, ...more },
});
const gone: ProviderEvent = {
  type: 'AvailabilityExceptionRemoved',
  data: {
    ...{ providerId, exceptionId: HOLIDAYS.exceptionId, from: HOLIDAYS.from, to: HOLIDAYS.to },
    ...{ seq: 4, changeId: id('later') },
  },
};
const abandoned: ProviderEvent = {
  type: 'ExceptionChangeAbandoned',
  data: { providerId, changeId, seq: 2, days: [{ from: '2026-03-09', to: '2026-03-13' }] },
};

t.test('a change of exceptions', async (t) => {
  t.test('is said before the first day is asked, once', async () => {
    given(created).when(startExceptionChange, input, doctor).then(started());
    given(created, started()).when(startExceptionChange, input, doctor).nothing();
  });
  t.test(
    'is refused over another exception, while another is under way, in the past, and of too many days',
    async () => {
      const over = { ...input, changeId: id('other'), added: [{ ...FAIR, from: '2026-03-13' }] };
      given(created, started(), standing()).when(startExceptionChange, over, doctor).rejected('exception-overlap');
      given(created, started())
        .when(startExceptionChange, { ...input, changeId: id('other') }, doctor)
        .rejected('contended');
      const past = { ...HOLIDAYS, from: '2026-02-20', to: '2026-03-01' };
      given(created)
        .when(startExceptionChange, { ...input, added: [past] }, doctor)
        .rejected('in-the-past', 'to');
      given(created)
        .when(startExceptionChange, { ...input, added: [], removed: [id('none')] }, doctor)
        .rejected('exception-unknown');
      const years = { ...HOLIDAYS, to: '2030-01-01' };
      given(created)
        .when(startExceptionChange, { ...input, added: [years] }, doctor)
        .rejected('too-many-days');
      given().when(startExceptionChange, input, doctor).rejected('no-provider-profile');
    },
  );
  t.test('comes about once everybody has agreed', async () => {
    const adding = { from: HOLIDAYS.from, to: HOLIDAYS.to, closed: true, reason: ' Skiing ' };
    given(created, started())
      .when(addAvailabilityException, adding, doctor, { changeId })
      .then(standing(HOLIDAYS, { reason: 'Skiing' }));
    given(created).when(addAvailabilityException, adding, doctor, { changeId }).rejected('contended');
    given(created, started(), abandoned)
      .when(addAvailabilityException, adding, doctor, { changeId })
      .rejected('contended');
  });
  t.test('takes an exception away', async () => {
    const { exceptionId } = HOLIDAYS;
    const began = started({ changeId: id('later'), added: [], removed: [exceptionId], seq: 3 });
    given(created, started(), standing(), began)
      .when(removeAvailabilityException, { exceptionId }, doctor, { changeId: id('later') })
      .then(gone);
    given(created)
      .when(removeAvailabilityException, { exceptionId }, doctor, { changeId })
      .rejected('exception-unknown');
  });
  t.test('may come with new working hours, as one', async () => {
    const exceptions = [{ from: HOLIDAYS.from, to: HOLIDAYS.to, closed: true }];
    const { outcome, state } = given(created, started()).when(setAvailability, { weekly: [], exceptions }, doctor, {
      changeId,
    });
    t.strictSame(outcome, [standing()], 'where nothing else changes, that alone');
    t.equal(state.version, 1);
    given(created).when(setAvailability, { weekly: [], exceptions }, doctor, { changeId }).rejected('contended');
  });
  t.test('is given up once, and its number is spent', async () => {
    given(created, started()).when(abandonExceptionChange, { providerId, changeId }, system).then(abandoned);
    given(created, started(), abandoned).when(abandonExceptionChange, { providerId, changeId }, system).nothing();
    given(created, started(), standing()).when(abandonExceptionChange, { providerId, changeId }, system).nothing();
  });
  t.test('names exactly closed or intervals, of a year at most', async () => {
    const days = { from: '2026-03-09', to: '2026-03-09' };
    const add = (more: object) =>
      given(created).when(addAvailabilityException, { ...days, ...more }, doctor, { changeId });
    add({}).rejected('input-invalid', 'closed');
    add({ closed: true, intervals: FAIR.intervals }).rejected('input-invalid', 'intervals');
    add({ closed: true, to: '2026-03-08' }).rejected('input-invalid', 'to');
    add({ closed: true, to: '2027-03-11' }).rejected('input-invalid', 'to');
    add({ closed: true, reason: 'x'.repeat(201) }).rejected('input-invalid', 'reason');
  });
});

t.test('the days that are asked', async (t) => {
  const today = '2026-03-12';
  const state = { exceptions: [{ ...FAIR, from: '2026-03-13', to: '2026-03-13' }] };
  t.strictSame(
    daysToAsk({ exceptions: [] }, { added: [HOLIDAYS] }, today),
    ['2026-03-12', '2026-03-13'].map((day) => ({ day, intervals: [] })),
    'are those that a change closes and that are not over',
  );
  const wide = { ...FAIR, from: '2026-03-13', to: '2026-03-13', intervals: [{ start: '10:30', end: '18:00' }] };
  const both = { day: '2026-03-13', intervals: [{ start: '10:30', end: '11:00' }] };
  t.strictSame(daysToAsk(state, { added: [wide] }, today), [both], 'keep to what holds before and after');
  t.strictSame(daysToAsk(state, { added: [] }, today), [], 'and what only opens is not asked');
});

t.test('replacing the whole list', async (t) => {
  const context = { changeId, cancelBooked: false, today: '2026-03-02', newId };
  const wanted = { from: FAIR.from, to: FAIR.to, intervals: FAIR.intervals };
  t.test('keeps what is the same, and what is over', async (t) => {
    const over = { ...HOLIDAYS, exceptionId: id('over'), from: '2026-02-01', to: '2026-03-01', reason: null };
    const plan = planReplacement([wanted], [over, { ...HOLIDAYS, reason: null }, { ...FAIR, reason: null }], context);
    t.match(plan, { added: [], removed: [HOLIDAYS.exceptionId] });
  });
  t.test('sets another reason by another exception', async (t) => {
    const plan = planReplacement([{ ...wanted, reason: 'Fair' }], [{ ...FAIR, reason: null }], context);
    t.match(plan, { added: [{ exceptionId: newId('exception 0') }], removed: [FAIR.exceptionId] });
  });
  t.test('is refused for what is over', async (t) =>
    t.match(planReplacement([wanted, { ...wanted, from: '2026-02-01', to: '2026-03-01' }], [], context), {
      reason: 'in-the-past',
      field: 'exceptions.1.to',
    }),
  );
});

t.test('slots are generated in the hours of exceptions', async (t) => {
  const open = { ...HOLIDAYS, intervals: [{ start: '10:00', end: '11:00' }] };
  const range = { from: '2026-03-09', to: '2026-03-09' };
  const slots = (event: ProviderEvent | undefined) => (event?.type === 'SlotGenerationStarted' ? event.data.slots : -1);
  const planned = (exception: Parameters<typeof standing>[0], more: object = {}) => {
    const past = [created, started(), standing(exception)];
    const { outcome } = given(...past).when(generateTimeSlots, { ...range, ...more }, doctor);
    return 'code' in outcome ? -1 : slots(outcome[0]);
  };
  t.equal(planned(open), 2, 'also where no work is done otherwise');
  t.equal(planned(HOLIDAYS), 0);
  t.equal(planned(open, { pattern: 'custom', daysOfWeek: [2] }), 0, 'on the days of the pattern alone');
  t.equal(planned(open, { pattern: 'daily', intervals: [{ start: '10:30', end: '12:00' }] }), 1);
});

t.test('a slot that is about to be opened is announced', async (t) => {
  const latestEnd = '2026-03-09T08:30:00.000Z';
  const announced: ProviderEvent = {
    type: 'SlotsAnnounced',
    data: { providerId, timezone: 'Europe/Luxembourg', latestEnd },
  };
  t.test('so that the zone stays, once', async () => {
    given(created).when(announceSlots, announced.data, doctor).then(announced);
    given(created, announced).when(announceSlots, announced.data, doctor).nothing();
    given(created, announced)
      .when(setAvailability, { weekly: [], timezone: 'Asia/Kolkata' }, doctor)
      .rejected('zone-in-use', 'timezone');
  });
  t.test('which is refused by the clock of another zone', async () =>
    given(created)
      .when(announceSlots, { ...announced.data, timezone: 'Asia/Kolkata' }, doctor)
      .rejected('contended'),
  );
});

t.test('a provider whose account is closed takes no more bookings, once', async () => {
  const closed: ProviderEvent = { type: 'ProviderDeactivated', data: { providerId } };
  given(created).when(closeProvider, { accountId: providerId }, system, { isOpen: false }).then(closed);
  given(created, closed).when(closeProvider, { accountId: providerId }, system, { isOpen: false }).nothing();
  given(created).when(closeProvider, { accountId: providerId }, system, { isOpen: true }).nothing();
  given().when(closeProvider, { accountId: providerId }, system, { isOpen: false }).nothing();
});
