import t from 'tap';
import { allowHold, type ClientHoldsEvent, clientHolds, returnHold } from '../../../src/domain/booking/clientHolds.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(clientHolds);
const accountId = id('client');
const in2Minutes = new Date(now.getTime() + 120_000).toISOString();
const allowed = (day: string, until = in2Minutes): ClientHoldsEvent => ({
  type: 'HoldAllowed',
  data: { accountId, day, at: now.toISOString(), until },
});
const returned = (day: string): ClientHoldsEvent => ({ type: 'HoldReturned', data: { accountId, day } });
const input = { accountId, day: 'd', until: in2Minutes };
const three = ['a', 'b', 'c'].map((day) => allowed(day));

t.test('allowing a hold', async (t) => {
  t.test('takes note of it, once', async () => {
    given().when(allowHold, input).then(allowed('d'));
    given(allowed('d')).when(allowHold, input).nothing();
  });
  t.test('lets a hold be renewed', async () => {
    const until = new Date(now.getTime() + 180_000).toISOString();
    given(...three)
      .when(allowHold, { ...input, day: 'c', until })
      .then(allowed('c', until));
  });
  t.test('is refused to whoever holds three slots already', async () =>
    given(...three)
      .when(allowHold, input)
      .rejected('too-many-holds', 'slotId'),
  );
  t.test('counts no hold whose time is over, nor one that was returned', async () => {
    const past = new Date(now.getTime() - 1).toISOString();
    given(allowed('a', past), allowed('b'), allowed('c')).when(allowHold, input).then(allowed('d'));
    given(...three, returned('b'))
      .when(allowHold, input)
      .then(allowed('d'));
  });
});

t.test('returning a hold', async (t) => {
  t.test('takes note of it, once', async () => {
    given(allowed('a')).when(returnHold, { accountId, day: 'a' }).then(returned('a'));
    given(allowed('a'), returned('a')).when(returnHold, { accountId, day: 'a' }).nothing();
  });
});
