import t from 'tap';
import { scheduleId, slotIdOf } from '../../src/domain/booking/ids.ts';
import { isLive, schedule } from '../../src/domain/booking/schedule/index.ts';
import { standingOffer, waitingList } from '../../src/domain/booking/waitingList/index.ts';
import { clientTime, heldSlots, slotHolds } from '../../src/policies/booking.ts';
import { freedSlots, offers, waiting } from '../../src/policies/waitingLists.ts';
import { bookingWorld, type Fault } from '../support/bookingWorld.ts';
import { system } from '../support/spec.ts';

const policies = [slotHolds, heldSlots, clientTime, freedSlots, offers, waiting];
const day = '2026-03-03';
const startTime = '2026-03-03T08:00:00.000Z';

t.test('an offer that a crash interrupts', async (t) => {
  const newWorld = await bookingWorld(t);
  const FAULTS: readonly Fault[] = ['none', 'before', 'after'];
  for (const offering of FAULTS)
    for (const holding of FAULTS) {
      const { nodes, doctors, clients, providerId, clock, settle, fresh } = await newWorld();
      const [node] = nodes;
      // The second provider is an account that is open: here he waits for the first.
      const [doctor = system, other = system] = doctors;
      const [client = system] = clients;
      const guest = { ...other, permissions: ['book:appointments'] };
      const slotId = slotIdOf({ providerId, day, startTime });
      await node.send('GenerateTimeSlots', { from: day, to: day }, doctor);
      await node.send('JoinWaitingList', { providerId, from: day, to: day }, guest);
      node.faults.push(offering, holding);
      await node.send('OfferFreedSlot', { slotId }, system);
      node.faults.length = 0;

      const look = async () => {
        const { reads } = fresh();
        const { slots } = (await reads.load(schedule, scheduleId({ providerId, day }))).state;
        const [entry] = (await reads.load(waitingList, providerId)).state.entries;
        const hold = slots[slotId]?.hold;
        return {
          offer: entry && standingOffer(entry, clock.now)?.offerId,
          hold: isLive(hold, clock.now) ? hold?.offerId : undefined,
          waits: entry !== undefined,
        };
      };
      await settle(policies);
      const { offer, hold, waits } = await look();
      const crash = `${offering}, then ${holding}`;
      t.ok(waits, `${crash}: he goes on waiting`);
      t.equal(offer, hold, `${crash}: offer and hold stand or fall together`);
      if (offering === 'none' && holding === 'none') {
        clock.now = new Date(clock.now.getTime() + 3_600_000);
        await settle(policies);
        t.strictSame(await look(), { offer: undefined, hold: undefined, waits: true });
      }
      clock.now = new Date(clock.now.getTime() + 1_800_000);
      t.match(await node.send('BookAppointment', { slotId }, client), { ok: true }, `${crash}: nothing is blocked`);
    }
});
