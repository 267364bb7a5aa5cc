import t from 'tap';
import { slotIdOf, waitingEntryIdOf } from '../../../src/domain/booking/ids.ts';
import { type Provider, provider as providerDecider } from '../../../src/domain/booking/provider/index.ts';
import {
  declineOffer,
  endWaiting,
  endWaitingWithBooking,
  joinWaitingList,
  leaveWaitingList,
  offerFreedSlot,
  settleOffers,
  type WaitingListEvent,
  waitingList,
} from '../../../src/domain/booking/waitingList/index.ts';
import { id, newId, now, spec, user } from '../../support/spec.ts';

const given = spec(waitingList);
const providerId = id('provider');
const [ada, ben] = [user(id('ada'), 'book:appointments'), user(id('ben'), 'book:appointments')];
const provider: Provider = {
  ...providerDecider.initial,
  profile: { active: true, timezone: 'Europe/Luxembourg', priceCents: null, currency: null },
};
const iso = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();
const at = (seconds: number, actor = ada) => ({ now: new Date(now.getTime() + seconds * 1000), actor });
const slotAt = (startTime: string) => ({
  slotId: slotIdOf({ providerId, day: startTime.slice(0, 10), startTime }),
  startTime,
  endTime: new Date(Date.parse(startTime) + 1_800_000).toISOString(),
});
const NINE = slotAt('2026-03-09T08:00:00.000Z');
const TEN = slotAt('2026-03-09T09:00:00.000Z');

type Data<T extends WaitingListEvent['type']> = Extract<WaitingListEvent, { type: T }>['data'];
const entryOf = (actor: typeof ada) => ({
  entryId: waitingEntryIdOf({ providerId, uuid: id(`entry of ${actor.id}`) }),
  providerId,
  accountId: actor.id,
});
const joined = (actor = ada, more: Partial<Data<'WaitingListJoined'>> = {}): WaitingListEvent => {
  const dates = { from: '2026-03-09', to: '2026-03-11', endsAt: '2026-03-11T23:00:00.000Z', joinedAt: iso(0) };
  return { type: 'WaitingListJoined', data: { ...entryOf(actor), ...dates, ...more } };
};
const offer = { offerId: newId('offer'), ...NINE };
const offered = (actor = ada, more: Partial<Data<'WaitingListOffered'>> = {}): WaitingListEvent => ({
  type: 'WaitingListOffered',
  data: { ...entryOf(actor), ...offer, offeredAt: iso(0), until: iso(1800), ...more },
});
const offerEnded = (
  outcome: Data<'WaitingListOfferEnded'>['outcome'],
  seconds: number,
  actor = ada,
): WaitingListEvent => ({
  type: 'WaitingListOfferEnded',
  data: { ...entryOf(actor), ...offer, outcome, at: iso(seconds) },
});
const ended = (because: Data<'WaitingListEnded'>['because'], seconds: number, actor = ada): WaitingListEvent => ({
  type: 'WaitingListEnded',
  data: { ...entryOf(actor), because, at: iso(seconds) },
});

t.test('joining a waiting list', async (t) => {
  const input = { providerId, from: '2026-03-09', to: '2026-03-11' };
  const facts = { provider };
  t.test('puts somebody at the end of the line, until the last date is over there', async () => {
    const entryId = waitingEntryIdOf({ providerId, uuid: newId('entry') });
    given(joined(ben)).when(joinWaitingList, input, ada, facts).then(joined(ada, { entryId }));
  });
  t.test('is refused for dates that one waits for already, and for a fourth range', async () => {
    given(joined())
      .when(joinWaitingList, { ...input, from: '2026-03-11', to: '2026-03-20' }, ada, facts)
      .rejected('already-waiting');
    const days = ['2026-03-01', '2026-03-02', '2026-03-03'].map((day, index) =>
      joined(ada, { entryId: waitingEntryIdOf({ providerId, uuid: id(`entry ${index}`) }), from: day, to: day }),
    );
    given(...days)
      .when(joinWaitingList, input, ada, facts)
      .rejected('waiting-too-often');
  });
  t.test('is refused for dates that are over, too far ahead or too many', async () => {
    given()
      .when(joinWaitingList, { ...input, from: '2026-02-01', to: '2026-03-01' }, ada, facts)
      .rejected('in-the-past', 'to');
    given()
      .when(joinWaitingList, { ...input, from: '2027-03-01', to: '2027-03-04' }, ada, facts)
      .rejected('beyond-horizon', 'to');
    given()
      .when(joinWaitingList, { ...input, to: '2026-06-10' }, ada, facts)
      .rejected('input-invalid', 'to');
    for (const to of ['2026-02-30', 'ffffffff-'])
      given()
        .when(joinWaitingList, { ...input, to }, ada, facts)
        .rejected('input-invalid', 'to');
    given()
      .when(joinWaitingList, { ...input, to: '2026-03-08' }, ada, facts)
      .rejected('input-invalid', 'to');
  });
  t.test('is refused without a provider who gives appointments, and to himself', async () => {
    given().when(joinWaitingList, input, ada, { provider: providerDecider.initial }).rejected('provider-unknown');
    given().when(joinWaitingList, input, user(providerId), facts).rejected('own-calendar');
  });
  t.test('is refused when a thousand others wait', async () => {
    const others = Array.from({ length: 1000 }, (_, index) => joined(user(id(`guest ${index}`))));
    given(...others)
      .when(joinWaitingList, input, ada, facts)
      .rejected('waiting-list-full');
  });
});

t.test('leaving a waiting list', async (t) => {
  const input = { entryId: entryOf(ada).entryId };
  t.test('ends the waiting, and an offer with it', async () => {
    given(joined()).when(leaveWaitingList, input, at(5)).then(ended('left', 5));
    given(joined(), offered()).when(leaveWaitingList, input, at(5)).then(offerEnded('declined', 5), ended('left', 5));
  });
  t.test('is refused to others, and a second time', async () => {
    given(joined()).when(leaveWaitingList, input, ben).rejected('waiting-unknown');
    given(joined(), ended('left', 1)).when(leaveWaitingList, input, ada).rejected('waiting-unknown');
  });
});

t.test('declining an offer', async (t) => {
  const input = { entryId: entryOf(ada).entryId };
  t.test('ends it, once', async () => {
    given(joined(), offered()).when(declineOffer, input, at(5)).then(offerEnded('declined', 5));
    given(joined(), offered(), offerEnded('declined', 5)).when(declineOffer, input, at(6)).rejected('no-offer');
  });
  t.test('is refused for another offer than the one that stands, and when its time is over', async () => {
    given(joined(), offered())
      .when(declineOffer, { ...input, offerId: id('former offer') }, at(5))
      .rejected('no-offer');
    given(joined(), offered()).when(declineOffer, input, at(1800)).rejected('no-offer');
    given(joined(), offered()).when(declineOffer, input, ben).rejected('waiting-unknown');
  });
});

t.test('offering a slot that has become free', async (t) => {
  const input = { slotId: NINE.slotId };
  const facts = { provider, slot: NINE, able: [ada.id, ben.id] };
  t.test('asks the first in line, for half an hour', async () =>
    given(joined(), joined(ben)).when(offerFreedSlot, input, ada, facts).then(offered()),
  );
  t.test('asks the next when the first could not come, is asked already, or has passed it on', async () => {
    given(joined(), joined(ben))
      .when(offerFreedSlot, input, ada, { ...facts, able: [ben.id] })
      .then(offered(ben));
    const other = offered(ada, { offerId: id('another offer'), ...TEN });
    given(joined(), joined(ben), other).when(offerFreedSlot, input, ada, facts).then(offered(ben));
    given(joined(), joined(ben), offered(), offerEnded('declined', 5))
      .when(offerFreedSlot, input, at(10), facts)
      .then(offered(ben, { offeredAt: iso(10), until: iso(1810) }));
    given(joined(), joined(ben), offered())
      .when(offerFreedSlot, input, at(1800), facts)
      .then(offered(ben, { offeredAt: iso(1800), until: iso(3600) }));
  });
  t.test('asks nobody twice at once', async () => {
    given(joined(), joined(ben), offered()).when(offerFreedSlot, input, at(5), facts).nothing();
    const second = joined(ada, {
      ...{ entryId: waitingEntryIdOf({ providerId, uuid: id('second') }), from: '2026-03-01', to: '2026-03-08' },
    });
    const elsewhere = slotAt('2026-03-06T08:00:00.000Z');
    given(joined(), second, offered())
      .when(offerFreedSlot, { slotId: elsewhere.slotId }, at(5), { ...facts, slot: elsewhere })
      .nothing();
  });
  t.test('asks nobody whom the date does not suit, nor for what cannot be booked', async () => {
    given(joined(ada, { from: '2026-03-10' }))
      .when(offerFreedSlot, input, ada, facts)
      .nothing();
    given(joined())
      .when(offerFreedSlot, input, ada, { ...facts, slot: undefined })
      .nothing();
  });
  t.test('ends before the notice begins, and is not made when nobody could answer in time', async () => {
    const minutes = (before: number) => ({ now: new Date(Date.parse(NINE.startTime) - before * 60_000), actor: ada });
    const { outcome } = given(joined()).when(offerFreedSlot, input, minutes(80), facts);
    t.match(outcome, [{ data: { until: '2026-03-09T07:00:00.000Z' } }]);
    given(joined()).when(offerFreedSlot, input, minutes(64), facts).nothing();
  });
});

t.test('settling offers', async (t) => {
  const none = { gone: [] };
  const gone = { gone: [offer.offerId] };
  t.test('ends one whose deadline is over, once', async () => {
    given(joined(), offered()).when(settleOffers, { providerId }, at(1800), none).then(offerEnded('expired', 1800));
    given(joined(), offered(), offerEnded('expired', 1800))
      .when(settleOffers, { providerId }, at(1801), none)
      .nothing();
  });
  t.test('ends the waiting of whoever lets three pass', async () => {
    const passed = [offered(), offerEnded('expired', 1), offered(), offerEnded('expired', 2), offered()];
    given(joined(), ...passed)
      .when(settleOffers, { providerId }, at(1800), none)
      .then(offerEnded('expired', 1800), ended('unanswered', 1800));
  });
  t.test('withdraws one whose slot is not kept, unless it may be on its way', async () => {
    given(joined(), offered()).when(settleOffers, { providerId }, at(59), gone).nothing();
    given(joined(), offered()).when(settleOffers, { providerId }, at(60), gone).then(offerEnded('withdrawn', 60));
    given(joined(), offered())
      .when(settleOffers, { providerId, offerId: offer.offerId }, at(1), gone)
      .then(offerEnded('withdrawn', 1));
    given(joined(), offered()).when(settleOffers, { providerId }, at(600), none).nothing();
  });
});

t.test('an appointment', async (t) => {
  const input = { providerId, accountId: ada.id, slotId: NINE.slotId };
  t.test('ends the waiting for its date, and the offer', async () => {
    given(joined()).when(endWaitingWithBooking, input, at(5)).then(ended('booked', 5));
    given(joined(), offered())
      .when(endWaitingWithBooking, input, at(5))
      .then(offerEnded('accepted', 5), ended('booked', 5));
    given(joined(), offered())
      .when(endWaitingWithBooking, { ...input, slotId: TEN.slotId }, at(5))
      .then(offerEnded('withdrawn', 5), ended('booked', 5));
  });
  t.test('of somebody else, or on another date, changes nothing', async () => {
    given(joined(ben)).when(endWaitingWithBooking, input, at(5)).nothing();
    given(joined(ada, { from: '2026-03-10' }))
      .when(endWaitingWithBooking, input, at(5))
      .nothing();
  });
});

t.test('waiting in vain', async (t) => {
  t.test('ends with the last date', async () => {
    const input = { providerId, because: 'past', before: '2026-03-12T00:00:00.000Z' } as const;
    given(joined()).when(endWaiting, input, at(60)).nothing();
    const later = { now: new Date('2026-03-11T23:00:00.000Z') };
    t.match(given(joined()).when(endWaiting, input, later).outcome, [{ data: { because: 'past' } }]);
  });
  t.test('ends with the account', async () => {
    const input = { providerId, because: 'account-closed', accountId: ada.id, before: iso(1) } as const;
    given(joined(), joined(ben)).when(endWaiting, input, at(5)).then(ended('account-closed', 5));
  });
  t.test('ends when the provider gives no more appointments, for all who came before', async () => {
    const input = { providerId, because: 'provider-inactive', before: iso(1) } as const;
    given(joined(), joined(ben, { joinedAt: iso(2) }))
      .when(endWaiting, input, at(5))
      .then(ended('provider-inactive', 5));
  });
});
