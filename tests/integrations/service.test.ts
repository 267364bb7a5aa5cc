import { randomUUID } from 'node:crypto';
import t from 'tap';
import { mailServer } from '../support/mailServer.ts';
import { eventually, testService } from '../support/service.ts';

const registration = (email: string) => ({
  email,
  password: 'Correct-horse-7',
  displayName: 'Ada Lovelace',
  acceptTerms: true,
});

t.test('the service with an SMTP server, in production', async (t) => {
  const { url, mails } = await mailServer(t);
  const { anonymous, admin, pool } = await testService(t, {
    NODE_ENV: 'production',
    PASSWORD_COST: '12',
    JWT_SECRET: randomUUID(),
    SMTP_URL: url,
    MAIL_FROM: 'Convene <no-reply@example.com>',
  });
  const email = 'ada@example.org';
  const listed = async () => (await (await admin()).get(`/ops/outbox?recipient=${email}`)).body.data.items;

  t.test('sends the mail that verifies an address', async (t) => {
    t.equal((await anonymous.post('/auth/register', registration(email))).status, 201);
    await eventually(
      async () => mails.find(({ to }) => to.includes(email)),
      (mail) => mail !== undefined,
    );
    const received = mails.find(({ to }) => to.includes(email));
    t.match(Object.fromEntries(received?.headers ?? []), { from: 'Convene <no-reply@example.com>', to: email });
    const [, token] = /token=([0-9a-f]+)/.exec(received?.parts.get('text/plain') ?? '') ?? [];
    t.equal((await anonymous.post('/auth/verify-email', { token })).status, 200);
  });
  t.test('keeps only that it was sent', async (t) => {
    const items = await eventually(listed, ({ length }) => length > 0);
    t.strictSame(
      items.map(({ id: _id, at: _at, ...rest }: { id: string; at: string }) => rest),
      [
        {
          channel: 'email',
          recipient: 'a***@example.org',
          template: 'email-verification',
          subject: null,
          text: null,
          html: null,
          status: 'sent',
        },
      ],
    );
  });
  t.test('leaves neither address nor token in the queue or the outbox', async (t) => {
    const [received] = mails;
    const [, token = ''] = /token=([0-9a-f]+)/.exec(received?.parts.get('text/plain') ?? '') ?? [];
    const { rows: queued } = await pool.query('select * from pgboss.job');
    const { rows: kept } = await pool.query('select * from convene.outbox');
    t.ok(queued.length > 0 && kept.length > 0 && token.length > 0);
    const everything = JSON.stringify([queued, kept]);
    t.notOk(everything.includes(token));
    t.notMatch(everything, /ada@|Lovelace/);
  });
});

t.test('the service with an SMTP server that is down', async (t) => {
  const { anonymous, admin, pool, url } = await testService(t, {
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'no-reply@example.com',
  });
  const email = 'bob@example.org';
  const before = Date.now();
  t.equal((await anonymous.post('/auth/register', registration(email))).status, 201, 'answers all the same');
  const listed = async () => (await (await admin()).get(`/ops/outbox?recipient=${email}`)).body.data.items;
  t.match(await eventually(listed, ({ length }) => length > 0), [{ template: 'email-verification', status: 'failed' }]);
  const waiting = async () =>
    (
      await pool.query<{ due: number }>(
        `select round(extract(epoch from start_after) * 1000)::float8 as due
         from pgboss.job where state = 'created' and data->>'job' = 'send-mail'`,
      )
    ).rows;
  const [next] = await eventually(waiting, ({ length }) => length > 0);
  const failedAt = (next?.due ?? 0) - 60_000;
  t.ok(before <= failedAt && failedAt <= Date.now(), 'tries again after a minute');
  const failures = /convene_jobs_total\{job="send-mail",outcome="failed"\} [1-9]/;
  // The next attempt is asked for by what the one that failed has noted, which it does before it ends and is counted.
  const metrics = await eventually(
    async () => (await fetch(`${url}/metrics`)).text(),
    (text) => failures.test(text),
  );
  t.match(metrics, failures);
  const { rows } = await pool.query('select * from pgboss.job');
  t.notMatch(JSON.stringify(rows), /bob@/);
});
