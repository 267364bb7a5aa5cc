import t from 'tap';
import {
  type CalendarFeedEvent,
  calendarFeed,
  closeCalendarFeed,
  openCalendarFeed,
} from '../../../src/domain/booking/calendarFeed.ts';
import { id, now, spec, user } from '../../support/spec.ts';

const given = spec(calendarFeed);
const ada = user(id('ada'));
const opened = (secretHash: string): CalendarFeedEvent => ({
  type: 'CalendarFeedOpened',
  data: { accountId: ada.id, secretHash, at: now.toISOString() },
});
const closed: CalendarFeedEvent = { type: 'CalendarFeedClosed', data: { accountId: ada.id } };

t.test('an address to subscribe at', async (t) => {
  t.test('is made', async () => given().when(openCalendarFeed, {}, ada, { secretHash: 'one' }).then(opened('one')));
  t.test('takes the place of the one before', async (t) => {
    const { state } = given(opened('one')).when(openCalendarFeed, {}, ada, { secretHash: 'two' });
    t.equal(state.open?.secretHash, 'two');
  });
  t.test('is taken back, once', async () => {
    given(opened('one')).when(closeCalendarFeed, {}, ada).then(closed);
    given(opened('one'), closed).when(closeCalendarFeed, {}, ada).nothing();
    given().when(closeCalendarFeed, {}, ada).nothing();
  });
});
