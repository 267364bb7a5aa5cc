import type { Person } from './account.ts';
import { type Client, DemoFailed } from './client.ts';
import { connect, type Socket, subscribe } from './live.ts';
import type { Report } from './report.ts';

/** Cards that occur nowhere else, so that finding one in what somebody received means that it was shown. */
const DECK = ['zqvo-01', 'zqvo-02', 'zqvo-03', 'zqvo-05', 'zqvo-08', 'zqvo-13', 'zqvo-21', 'zqvo-34'];
/** The list of cards itself is no secret. */
const withoutDeck = (text: string): string => text.replaceAll(/"customDeck":\[[^\]]*\]/g, '');

type Seat = { readonly person: Person; readonly card: string; readonly socket: Socket; heard: string };
type Session = { readonly id: string; readonly code: string };
export type Estimated = { readonly sessionId: string; readonly storyId: string; readonly rounds: number };

/** Eight people estimate one story in two rounds. */
export const estimate = async (
  client: Client,
  report: Report,
  people: readonly Person[],
  outsider: Person,
): Promise<Estimated> => {
  const [facilitator, ...others] = people;
  if (facilitator === undefined || people.length !== 8) throw new DemoFailed('Eight people are needed');
  const session = await client.expect<Session>(201, 'POST', '/sessions', {
    as: facilitator,
    body: { name: 'Demonstration', settings: { deck: 'custom', customDeck: DECK } },
  });
  const topic = `session:${session.id}`;
  await Promise.all(
    others.map((person) =>
      client.expect(200, 'POST', '/sessions/join', { as: person, body: { code: session.code.toLowerCase() } }),
    ),
  );
  const seats: Seat[] = await Promise.all(
    people.map(async (person, index) => {
      const socket = await connect(client.base, person.token);
      await subscribe(socket, topic);
      return { person, card: DECK[index] ?? '', socket, heard: '' };
    }),
  );
  report.check('eight sit at the table and listen', seats.length === 8, `code ${session.code}`);
  const stranger = await connect(client.base, outsider.token);
  stranger.say({ type: 'subscribe', topic });
  const refusal = await stranger.heard(
    'the refusal',
    ({ type, topic: refused }) => type === 'error' && refused === topic,
  );
  report.check('an outsider may not listen', refusal.code === 'FORBIDDEN', refusal.code);
  await stranger.close();

  const story = await client.expect<{ id: string }>(201, 'POST', `/sessions/${session.id}/stories`, {
    as: facilitator,
    body: { title: 'Log in by e-mail' },
  });
  const path = `/sessions/${session.id}/stories/${story.id}`;
  const heardByAll = (what: string, event: string, round: number) =>
    Promise.all(
      seats.map(({ socket }) =>
        socket.heard(what, (message) => message.event === event && message.data?.round === round),
      ),
    );

  const play = async (round: number, cardOf: (seat: Seat) => string): Promise<void> => {
    await heardByAll('the opening of the round', 'session:voting-opened', round);
    await Promise.all(
      seats.map(async (seat) => {
        const sent = performance.now();
        const reply = await client.call('PUT', `${path}/vote`, { as: seat.person, body: { value: cardOf(seat) } });
        if (reply.status !== 200) throw new DemoFailed(`A vote was answered ${reply.text}`);
        seat.heard += reply.text;
        for (const { socket } of seats) {
          const { receivedAt } = await socket.heard(
            'a vote',
            ({ event, data }) =>
              event === 'session:vote-cast' && data?.round === round && data.participantId === seat.person.id,
          );
          report.took('live: vote played → message at everybody', receivedAt - sent);
        }
      }),
    );
  };

  await client.expect(200, 'POST', `${path}/open`, { as: facilitator });
  await play(1, ({ card }) => card);
  for (const seat of seats)
    for (const query of ['/status', '', '/stories', '/history', `/stories/${story.id}/result`, '/summary'])
      seat.heard += (await client.call('GET', `/sessions/${session.id}${query}`, { as: seat.person })).text;
  const received = seats.map(({ socket, heard }) => withoutDeck(socket.text() + heard));
  const leaks = seats.flatMap(({ person, card }, index) =>
    received.flatMap((text, reader) => (reader !== index && text.includes(card) ? [`${person.name}'s card`] : [])),
  );
  report.check(
    'before the reveal everybody has received his own card',
    seats.every(({ card }, index) => received[index]?.includes(card)),
    'the search finds what is there',
  );
  const bytes = received.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  report.check(
    'before the reveal nobody received a card of anybody else',
    leaks.length === 0,
    `${bytes} bytes searched${leaks.length > 0 ? `, ${leaks.length} leaks` : ''}`,
  );
  report.check(
    'everybody heard that all eight have voted',
    seats.every(({ socket }) => socket.messages.filter(({ event }) => event === 'session:vote-cast').length === 8),
  );

  // One of them loses the connection and misses the reveal.
  const away = seats[7] as Seat;
  const seen = away.socket.messages.findLast(({ seq }) => seq !== undefined)?.seq;
  await away.socket.close();
  await client.expect(200, 'POST', `${path}/reveal`, { as: facilitator });
  const back = await connect(client.base, away.person.token);
  await subscribe(back, topic, seen);
  seats[7] = { ...away, socket: back };
  const reveals = await heardByAll('the reveal', 'session:votes-revealed', 1);
  const shown = reveals.every(({ data }) => DECK.every((card) => JSON.stringify(data?.votes).includes(card)));
  report.check('the reveal shows all cards to everybody', shown, 'also to the one who was cut off and resumed');
  const places = back.messages.filter(({ event }) => event !== undefined).map(({ seq }) => seq);
  report.check('who resumed heard nothing twice', new Set(places).size === places.length, `${places.length} messages`);

  await client.expect(200, 'POST', `${path}/restart`, { as: facilitator });
  await play(2, () => 'zqvo-05');
  await client.expect(200, 'POST', `${path}/reveal`, { as: facilitator });
  const [second] = await heardByAll('the second reveal', 'session:votes-revealed', 2);
  report.check(
    'the second round agrees',
    (second?.data?.statistics as { consensus?: boolean } | undefined)?.consensus === true,
  );
  await client.expect(200, 'PUT', `${path}/estimate`, { as: facilitator, body: { value: 'zqvo-05' } });
  await client.expect(200, 'POST', `/sessions/${session.id}/complete`, { as: facilitator });
  await Promise.all(seats.map(({ socket }) => socket.heard('the end', ({ event }) => event === 'session:completed')));
  report.check(
    'everybody heard the estimate and the end',
    seats.every(({ socket }) => socket.messages.some(({ event }) => event === 'session:estimate-accepted')),
  );
  const late = await client.call('PUT', `${path}/vote`, { as: facilitator, body: { value: 'zqvo-01' } });
  report.check('a vote after the end is a CONFLICT', late.status === 409, late.reason);
  await Promise.all(seats.map(({ socket }) => socket.close()));
  return { sessionId: session.id, storyId: story.id, rounds: 2 };
};
