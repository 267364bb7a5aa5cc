import fc from 'fast-check';
import t from 'tap';
import {
  appointmentIdField,
  appointmentIdOf,
  appointmentRef,
  isHome,
  slotIdField,
  slotIdOf,
  slotRef,
} from '../../../src/domain/booking/ids.ts';

const HALF_HOUR = 1_800_000;
const slots = fc
  .record({ providerId: fc.uuid(), half: fc.integer({ min: 48, max: 4_000_000 }) })
  .map(({ providerId, half }) => {
    const startTime = new Date(half * HALF_HOUR).toISOString();
    return { providerId, day: startTime.slice(0, 10), startTime };
  });
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

t.test('an id that carries its route', async (t) => {
  t.test('says what it was made of', async () =>
    fc.assert(
      fc.property(slots, fc.uuid(), (slot, uuid) => {
        t.strictSame(slotRef(slotIdOf(slot)), slot);
        const { providerId, day } = slot;
        t.strictSame(appointmentRef(appointmentIdOf({ providerId, day, uuid })), { providerId, day, uuid });
      }),
      { numRuns: 200 },
    ),
  );

  t.test('never resolves as an alias: whatever parses has exactly this spelling', async () =>
    fc.assert(
      fc.property(slots, fc.nat(31), fc.constantFrom(...ALPHABET, '=', '+', '/', '.'), (slot, place, letter) => {
        const id = slotIdOf(slot);
        const bent = id.slice(0, place) + letter + id.slice(place + 1);
        const ref = slotRef(bent);
        if (ref === undefined) t.notOk(slotIdField.safeParse(bent).success);
        else t.equal(slotIdOf(ref), bent);
      }),
      { numRuns: 500 },
    ),
  );

  t.test('is refused when it is too short, too long, padded or of the other kind', async (t) => {
    const slot = { providerId: '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b', day: '2027-03-01' };
    const slotId = slotIdOf({ ...slot, startTime: '2027-03-01T08:00:00.000Z' });
    const appointmentId = appointmentIdOf({ ...slot, uuid: slot.providerId });
    for (const id of ['', 'x', slotId.slice(1), `${slotId}A`, `${slotId}=`, appointmentId])
      t.notOk(slotIdField.safeParse(id).success, id);
    for (const id of [slotId, appointmentId.slice(0, -1), `${appointmentId}AAAA`])
      t.notOk(appointmentIdField.safeParse(id).success, id);
    t.ok(slotId.length <= 100 && appointmentId.length <= 100);
    t.match(slotId, /^[A-Za-z0-9_-]+$/);
  });

  t.test('tells whether a slot lies on the first day of an appointment', async (t) => {
    const providerId = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b';
    const appointment = appointmentIdOf({ providerId, day: '2027-03-01', uuid: providerId });
    t.ok(isHome(slotIdOf({ providerId, day: '2027-03-01', startTime: '2027-03-01T08:00:00.000Z' }), appointment));
    t.notOk(isHome(slotIdOf({ providerId, day: '2027-03-02', startTime: '2027-03-02T08:00:00.000Z' }), appointment));
  });
});
