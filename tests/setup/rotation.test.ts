import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config.ts';
import { rewrapKeys } from '../../src/eventstore/rewrapping.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { startService } from '../../src/service.ts';
import { testDatabase } from '../support/postgres.ts';
import { ADMIN } from '../support/service.ts';

const secret = (digit: number): string => String(digit).repeat(32);

/** Asks again, as it then says, while a service that has just started is still behind. */
const ready = async (ask: () => Promise<Response>): Promise<Response> => {
  const answer = await ask();
  return answer.status === 503 ? ready(ask) : answer;
};

/** Somebody who talks to the service with these secrets. */
const withService = async <T>(
  { connectionString, dataDir }: { readonly connectionString: string; readonly dataDir: string },
  secrets: Record<string, string>,
  use: (ask: (path: string, token: string) => Promise<Response>, logIn: () => Promise<string>) => Promise<T>,
): Promise<T> => {
  const config = parseConfig({
    NODE_ENV: 'test',
    DATABASE_URL: connectionString,
    CONVENE_DATA_DIR: dataDir,
    PORT: '0',
    CONVENE_ADMIN_EMAIL: ADMIN.email,
    CONVENE_ADMIN_PASSWORD: ADMIN.password,
    PASSWORD_COST: '4',
    LOG_LEVEL: 'critical',
    ...secrets,
  });
  const { url, stop } = await startService(config);
  const api = `${url}/api/v1`;
  try {
    return await use(
      (path, token) => ready(() => fetch(`${api}${path}`, { headers: { authorization: `Bearer ${token}` } })),
      async () => {
        const answer = await ready(() =>
          fetch(`${api}/auth/login`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(ADMIN),
          }),
        );
        const { data } = (await answer.json()) as { data: { accessToken: string } };
        return data.accessToken;
      },
    );
  } finally {
    await stop();
  }
};

t.test('secrets are rotated in three steps, and nobody notices', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'convene-rotation-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const { connectionString, pool } = await testDatabase(t, { migrate: true });
  const on = { connectionString, dataDir };
  const [J1, J2, M1, M2] = [secret(1), secret(2), secret(3), secret(4)];
  const steps = [
    { JWT_SECRET: J1, CONVENE_MASTER_KEY: M1 },
    { JWT_SECRET: J1, JWT_SECRET_PREVIOUS: J2, CONVENE_MASTER_KEY: M1, CONVENE_MASTER_KEY_PREVIOUS: M2 },
    { JWT_SECRET: J2, JWT_SECRET_PREVIOUS: J1, CONVENE_MASTER_KEY: M2, CONVENE_MASTER_KEY_PREVIOUS: M1 },
    { JWT_SECRET: J2, CONVENE_MASTER_KEY: M2 },
  ] as const;
  const [before, learned, turned, after] = steps;
  const old = await withService(on, before, (_ask, logIn) => logIn());
  await withService(on, learned, async (ask) => t.equal((await ask('/users/me', old)).status, 200, 'before the turn'));
  const fresh = await withService(on, turned, async (ask, logIn) => {
    t.equal((await ask('/users/me', old)).status, 200, 'a token of the former secret after the turn');
    t.match(await rewrapKeys(pool, masterKeys(M2, M1)), { unreadable: 0 }, 'keys are wrapped anew beside the service');
    return logIn();
  });
  await withService(on, after, async (ask) => {
    t.equal((await ask('/users/me', old)).status, 401, 'nothing of the former secret is left');
    const answer = await ask('/users/me', fresh);
    t.match(await answer.json(), { data: { email: ADMIN.email } }, 'personal data can be read');
  });
  t.test('a start without the right master key says so', async (t) =>
    t.rejects(
      withService(on, before, async () => {}),
      { name: 'StartupProblem', message: /^CONVENE_MASTER_KEY is not the one/ },
    ),
  );
});
