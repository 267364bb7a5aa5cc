import { randomUUID } from 'node:crypto';
import t from 'tap';
import { slotIdOf } from '../../../src/domain/booking/ids.ts';
import type { ScheduleEvent } from '../../../src/domain/booking/schedule/index.ts';
import { type MailOrder, writeMail } from '../../../src/policies/mails/index.ts';
import { offerMails } from '../../../src/policies/waitingLists.ts';
import {
  accountId,
  bookingStreams,
  endTime,
  logOf,
  NOW,
  opened,
  providerId,
  publicUrl,
  registered,
  sender,
  startTime,
} from './log.ts';

const slotId = slotIdOf({ providerId, day: '2026-03-03', startTime });
const offerId = randomUUID();
const until = new Date(NOW.getTime() + 1_800_000).toISOString();
const slots: ScheduleEvent = {
  type: 'TimeSlotsGenerated',
  data: { providerId, day: '2026-03-03', slots: [{ slotId, startTime, endTime }], generationId: randomUUID() },
};
const hold = { providerId, slotId, startTime, accountId, offerId };
const held: ScheduleEvent = {
  type: 'SlotHeld',
  data: { ...hold, heldAt: NOW.toISOString(), until, usedSeconds: 0 },
};
const released: ScheduleEvent = {
  type: 'SlotHoldReleased',
  data: { ...hold, at: NOW.toISOString(), because: 'offer-ended' },
};
const order: MailOrder = { template: 'waiting-list-offer', accountId, slotId, offerId, expiresAt: until };
const write = (events: readonly ScheduleEvent[], more: Parameters<typeof opened>[0] = {}) =>
  writeMail(order, {
    reads: logOf({ ...bookingStreams([...events], [opened(more)]), [`account-${accountId}`]: [registered()] }),
    publicUrl,
    sender,
  });

t.test('the offer of a slot', async (t) => {
  t.test('tells with whom, when by the own clock, until when it is held, and what to do', async (t) => {
    const mail = await write([slots, held]);
    t.match(mail, { to: 'ada@example.org', subject: 'A time with Dr. "Weber" & Co has become free' });
    t.match(mail?.text, 'When: Tuesday, 3 March 2026, 09:00–09:30 (Europe/Berlin, GMT+1)');
    t.match(mail?.text, 'Place: 2 Rue du Fort');
    t.match(mail?.text, /until 1 March 2026 at 13:30/);
    t.match(mail?.text, `${publicUrl}/booking?slotId=${slotId}`);
    t.match(mail?.text, `Not this one: ${publicUrl}/waiting-list?offerId=${offerId}&action=decline`);
    t.strictSame(mail?.concerns, [accountId, providerId]);
    t.notMatch((await write([slots, held], { location: null }))?.text, 'Place');
  });
  t.test('is not sent when the slot is held no more, or for another', async (t) => {
    t.equal(await write([slots, held, released]), undefined);
    t.equal(await write([slots]), undefined);
    const other: ScheduleEvent = { type: 'SlotHeld', data: { ...held.data, offerId: randomUUID() } as never };
    t.equal(await write([slots, other]), undefined);
  });
  t.test('is asked for when a slot is held for an offer, and for no form', async (t) => {
    const on = offerMails.on.SlotHeld;
    t.match(on({ data: held.data } as never), [{ command: 'QueueEmail', input: { template: 'waiting-list-offer' } }]);
    const { offerId: _none, ...form } = held.data as never as Record<string, unknown>;
    t.strictSame(on({ data: form } as never), []);
  });
});
