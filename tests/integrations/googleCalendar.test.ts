import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { googleCalendar } from '../../src/integrations/calendar/google.ts';
import type { CalendarEvent } from '../../src/integrations/calendar/index.ts';
import { type Asked, answering, dripping, json } from '../support/answering.ts';

const TOKEN = 'ya29.s3cret';
const event: CalendarEvent = {
  id: 'abc123',
  title: 'Consultation Session',
  startTime: '2026-03-29T00:30:00.000Z',
  endTime: '2026-03-29T01:00:00.000Z',
  timeZone: 'Europe/Luxembourg',
  description: 'With: Grace',
  place: '',
};

const calendar = async (t: Test, answer: (response: ServerResponse, asked: Asked) => void, timeoutMs = 5_000) => {
  const { url, asked } = await answering(t, answer);
  return { ...googleCalendar({ apiUrl: url, timeoutMs }), asked };
};
const refusal = (reason: string) => ({ error: { code: 403, message: TOKEN, errors: [{ domain: 'x', reason }] } });

t.test('writing an event', async (t) => {
  t.test('asks in the words of version 3, by the clock of its holder', async (t) => {
    const { calendar: it, asked } = await calendar(t, (response) => json(response, 200, {}));
    t.same(await it.put(TOKEN, event, false), { outcome: 'done' });
    t.match(asked, [
      {
        method: 'POST',
        path: '/calendar/v3/calendars/primary/events?sendUpdates=none',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      },
    ]);
    t.same(JSON.parse(asked[0]?.body ?? ''), {
      id: 'abc123',
      status: 'confirmed',
      summary: 'Consultation Session',
      description: 'With: Grace',
      location: '',
      // The clocks go forward between the two.
      start: { dateTime: '2026-03-29T01:30:00+01:00', timeZone: 'Europe/Luxembourg' },
      end: { dateTime: '2026-03-29T03:00:00+02:00', timeZone: 'Europe/Luxembourg' },
      reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 15 }] },
    });
  });
  t.test('goes on with what is there already, or no longer', async (t) => {
    const methods = async (known: boolean, ...statuses: readonly number[]) => {
      const left = [...statuses];
      const { calendar: it, asked } = await calendar(t, (response) => json(response, left.shift() ?? 500, {}));
      t.same(await it.put(TOKEN, event, known), { outcome: 'done' });
      return asked.map(({ method }) => method).join();
    };
    t.equal(await methods(false, 409, 200), 'POST,PATCH');
    t.equal(await methods(true, 200), 'PATCH');
    t.equal(await methods(true, 404, 200), 'PATCH,POST');
    t.equal(await methods(true, 410, 409, 200), 'PATCH,POST,PATCH');
  });
  t.test('is taken away, where it is gone too', async (t) => {
    for (const status of [200, 404, 410]) {
      const { calendar: it, asked } = await calendar(t, (response) => json(response, status, {}));
      t.same(await it.remove(TOKEN, event.id), { outcome: 'done' });
      t.match(asked, [{ method: 'DELETE', path: '/calendar/v3/calendars/primary/events/abc123?sendUpdates=none' }]);
    }
  });
});

t.test('what an answer means', async (t) => {
  for (const [status, body, headers, meaning] of [
    [401, {}, {}, { outcome: 'unauthorised' }],
    [403, refusal('insufficientPermissions'), {}, { outcome: 'forbidden' }],
    [403, refusal('rateLimitExceeded'), {}, { outcome: 'throttled', seconds: 60 }],
    [403, refusal('quotaExceeded'), { 'retry-after': '9' }, { outcome: 'throttled', seconds: 9 }],
    [429, {}, { 'retry-after': '99999999' }, { outcome: 'throttled', seconds: 86_400 }],
    [429, 'no JSON', { 'retry-after': 'soon' }, { outcome: 'throttled', seconds: 60 }],
    [403, refusal('accessNotConfigured'), {}, { outcome: 'failed', code: 'google-calendar-403', final: false }],
    [400, refusal('invalid'), {}, { outcome: 'failed', code: 'google-calendar-400', final: true }],
    [500, refusal('backendError'), {}, { outcome: 'failed', code: 'google-calendar-500', final: false }],
    [503, 'no JSON', {}, { outcome: 'failed', code: 'google-calendar-503', final: false }],
    [
      302,
      '',
      { location: 'http://127.0.0.1/' },
      { outcome: 'failed', code: 'google-calendar-unreachable', final: false },
    ],
  ] as const)
    t.test(`${status} ${JSON.stringify(body)}`, async (t) => {
      const { calendar: it } = await calendar(t, (response) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
      const answer = await it.put(TOKEN, event, false);
      t.same(answer, meaning);
      t.notMatch(inspect(answer, { depth: 9 }), /s3cret/);
    });
});

t.test('Google out of reach', async (t) => {
  t.test('is waited for five seconds in all, not for every byte', async (t) => {
    const { calendar: it } = await calendar(t, dripping, 80);
    t.same(await it.put(TOKEN, event, false), { outcome: 'failed', code: 'google-calendar-timeout', final: false });
  });
  t.test('is left alone after five failures, which refusals are not', async (t) => {
    let status = 429;
    const { calendar: it, circuit, asked } = await calendar(t, (response) => json(response, status, {}));
    for (let call = 0; call < 8; call += 1) await it.remove(TOKEN, event.id);
    t.equal(circuit.state(), 'closed');
    status = 503;
    for (let call = 0; call < 8; call += 1) await it.remove(TOKEN, event.id);
    t.equal(circuit.state(), 'open');
    t.equal(asked.length, 13);
    t.same(await it.remove(TOKEN, event.id), {
      outcome: 'failed',
      code: 'google-calendar-circuit-open',
      final: false,
    });
  });
});
