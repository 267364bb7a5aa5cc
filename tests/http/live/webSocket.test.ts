import t from 'tap';
import { eventually } from '../../support/service.ts';
import { server } from '../support/server.ts';
import { openSocket, openStream } from './client.ts';

t.test('an upgrade is answered with 101, and is no request in flight afterwards', async (t) => {
  const { app, deps, lines } = await server(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const inFlight = async () => (await deps.metrics.inFlight.get()).values[0]?.value;
  const upgrades = () => lines().filter(({ route }) => route === '/ws');
  const socket = await openSocket(url);
  await eventually(
    async () => upgrades().length,
    (count) => count === 1,
  );
  t.match(upgrades(), [{ method: 'GET', status: 101 }]);
  t.equal(await inFlight(), 0);
  t.equal(await socket.close(), 1005);
  await fetch(`${url}/health/live`);
  t.equal(upgrades().length, 1, 'its end is no answer');
  t.equal(await inFlight(), 0);
});

t.test('names are spelt as a stream asks for them', async (t) => {
  const { app, login } = await server(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const { authorization } = login();
  const refused = await openStream(`${url}/api/v1/live?topics=availability:x&names=camel`, { authorization });
  t.equal(refused.status, 422);
});
