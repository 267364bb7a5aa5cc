import ICAL from 'ical.js';
import t from 'tap';
import { hasten } from '../support/jobs.ts';
import { inDays, practice } from '../support/practice.ts';
import { resendStandIn, type Taken } from '../support/resend.ts';
import { type Client, eventually, testService } from '../support/service.ts';

t.test('mail by Resend', async (t) => {
  const resend = await resendStandIn(t);
  const service = await testService(t, resend.variables);
  const { anonymous, pool } = service;

  const taken = (to: string, template: RegExp): Promise<Taken> =>
    eventually(
      async () => resend.taken.findLast((mail) => mail.to === to && template.test(mail.subject)) as Taken,
      (mail) => mail !== undefined,
    );
  /** A verified account, its token taken from the mail that the stand-in received. */
  const user = async (name = 'Somebody'): Promise<Client> => {
    const account = await service.newcomer(name);
    const { text } = await taken(account.email, /verify/);
    const token = /token=([\w.~-]+)/.exec(text)?.[1];
    t.equal((await anonymous.post('/auth/verify-email', { token })).status, 200);
    return account;
  };
  const { newProvider, newClient, openSlots, freeSlots } = practice({ ...service, user });
  const provider = await newProvider();
  const client = await newClient('Carol');
  await openSlots(provider, inDays(3));
  const slots = await freeSlots(client, provider, inDays(3));
  let next = 0;
  const book = async (): Promise<string> => {
    const { status, body } = await client.post('/appointments', { slotId: slots[next++]?.slotId });
    t.equal(status, 201);
    return body.data.id;
  };
  /** What the provider's list says of the client's mail about an appointment, once it says enough. */
  const mailOf = async (
    appointmentId: string,
    enough: (mail: Record<string, unknown>) => boolean,
    before: () => Promise<unknown> = async () => undefined,
  ) => {
    const path = `/provider/emails?appointmentId=${appointmentId}&template=booking-confirmation`;
    const find = async () => {
      await before();
      const { body } = await provider.get(path);
      return body.data.items.find(({ recipient }: { recipient: string }) => recipient[0] === client.email[0]);
    };
    return eventually(find, (mail) => mail !== undefined && enough(mail));
  };
  const tell = async ({ body, headers }: ReturnType<typeof resend.notice>) => {
    const response = await fetch(`${service.api}/webhooks/resend`, { method: 'POST', body, headers });
    return response.status;
  };
  /** The same, while the pauses between attempts pass. */
  const hurried = (appointmentId: string, status: string) =>
    mailOf(
      appointmentId,
      (mail) => mail.status === status,
      () => hasten(pool, 'send-mail'),
    );

  t.test('brings words, entry and id of its own', async (t) => {
    const appointmentId = await book();
    const mail = await taken(client.email, /^Your appointment with/);
    const [attachment] = mail.attachments;
    t.match(attachment, { filename: 'appointment.ics', content_type: 'text/calendar; charset=utf-8; method=REQUEST' });
    const calendar = ICAL.parse(Buffer.from(attachment?.content ?? '', 'base64').toString());
    const event = new ICAL.Event(new ICAL.Component(calendar).getFirstSubcomponent('vevent') ?? undefined);
    t.equal(event.uid, `${appointmentId}@convene`);
    t.equal(event.startDate.toJSDate().toISOString(), slots[0]?.startTime);
    const listed = await mailOf(appointmentId, ({ status }) => status === 'sent');
    t.match(listed, { id: mail.emailId, attempts: 1, nextAttemptAt: null });
  });

  t.test('is told of in any order and as often as it likes', async (t) => {
    const appointmentId = await book();
    const { id } = (await mailOf(appointmentId, ({ status }) => status === 'sent')) as { id: string };
    const mail = resend.taken.find(({ emailId }) => emailId === id) as Taken;
    const at = new Date(Date.now() - 60_000);
    const opened = resend.notice('email.opened', mail, { at });
    t.equal(await tell(opened), 200);
    t.equal(await tell(opened), 200, 'the same once more');
    t.equal(await tell(resend.notice('email.opened', mail)), 200, 'and again');
    await mailOf(appointmentId, ({ status }) => status === 'delivered');
    t.equal(await tell(resend.notice('email.delivered', mail)), 200);
    t.equal(await tell(resend.notice('email.bounced', mail, { more: { bounce: { type: 'Transient' } } })), 200);
    const after = await mailOf(appointmentId, ({ deliveredAt }) => deliveredAt !== null);
    t.match(after, { status: 'delivered', openedAt: at.toISOString() });
    const { statistics } = (await provider.get('/provider/emails')).body.data;
    const figures = statistics.find(({ template }: { template: string }) => template === 'booking-confirmation');
    t.match(figures, { opened: 1, delivered: 1, openRate: 1 });
  });

  t.test('of others, or about what is unknown, changes nothing', async (t) => {
    const { emailId, id } = resend.taken[0] as Taken;
    t.equal(await tell(resend.notice('email.delivered', { emailId: id, id })), 200);
    t.equal(await tell(resend.notice('email.delivered', { emailId: '', id })), 200);
    t.equal(await tell(resend.notice('domain.created', { emailId, id })), 200);
    const stranger = `whsec_${Buffer.from('somebody else entirely').toString('base64')}`;
    t.equal(await tell(resend.notice('email.bounced', { emailId, id }, { by: stranger })), 401);
    const old = new Date(Date.now() - 301_000);
    t.equal(await tell(resend.notice('email.bounced', { emailId, id }, { at: old })), 401);
    const good = resend.notice('email.bounced', { emailId, id });
    t.equal(await tell({ ...good, body: `${good.body} ` }), 401);
    t.equal(await tell({ ...good, headers: { ...good.headers, 'svix-signature': '' } }), 401);
    t.equal((await anonymous.post('/webhooks/resend', { type: 'email.bounced' })).status, 401);
    t.equal((await client.get('/users/me')).body.data.emailDeliverable, true);
  });

  t.test('does not keep anybody from booking while it fails, and is tried again', async (t) => {
    // The provider's own mail is on its way at the same time: whose request comes first is not known.
    resend.next.set(client.email, [500]);
    const since = Date.now();
    const appointmentId = await book();
    const failing = await mailOf(appointmentId, ({ attempts }) => attempts === 1);
    t.match(failing, { status: 'queued', lastError: 'resend-500' });
    const again = Date.parse(String(failing.nextAttemptAt));
    t.ok(again >= since + 60_000 && again <= Date.now() + 60_000, 'a minute later');
    t.match(await hurried(appointmentId, 'sent'), { attempts: 2, nextAttemptAt: null });
  });

  t.test('is taken once when its answer is lost', async (t) => {
    resend.next.set(client.email, ['lost']);
    const appointmentId = await book();
    const { id } = await mailOf(appointmentId, ({ attempts }) => attempts === 1);
    await hurried(appointmentId, 'sent');
    t.equal(resend.taken.filter(({ emailId }) => emailId === id).length, 1);
    const keys = resend.requests.map(({ headers }) => headers['idempotency-key']);
    const key = resend.taken.find(({ emailId }) => emailId === id)?.key;
    t.equal(keys.filter((one) => one === key).length, 2);
  });

  t.test('goes nowhere once the address has refused it, until somebody releases it', async (t) => {
    const appointmentId = await book();
    const { id } = await mailOf(appointmentId, ({ status }) => status === 'sent');
    const mail = resend.taken.find(({ emailId }) => emailId === id) as Taken;
    t.equal(await tell(resend.notice('email.complained', mail)), 200);
    await mailOf(appointmentId, ({ status }) => status === 'bounced');
    t.equal(await tell(resend.notice('email.delivered', mail)), 200, 'late, and after the complaint');
    await eventually(
      () => client.get('/users/me'),
      ({ body }) => body.data.emailDeliverable === false,
    );
    const unsent = await mailOf(await book(), ({ status }) => status === 'suppressed');
    t.match(unsent, { lastError: 'bounce_list', attempts: 0 });
    t.match(await mailOf(appointmentId, ({ deliveredAt }) => deliveredAt !== null), { status: 'bounced' });

    const admin = await service.admin();
    const release = { email: client.email };
    t.equal((await client.post('/ops/blocked-addresses/release', release)).status, 403);
    t.equal((await admin.post('/ops/blocked-addresses/release', { email: 'nobody@example.org' })).status, 404);
    t.match(await admin.post('/ops/blocked-addresses/release', release), {
      status: 200,
      body: { data: { blocked: false } },
    });
    await eventually(
      () => client.get('/users/me'),
      ({ body }) => body.data.emailDeliverable === true,
    );
    await mailOf(await book(), ({ status }) => status === 'sent');
  });

  t.test('leaves neither address nor token in log and queue', async (t) => {
    const { rows: queued } = await pool.query('select * from pgboss.job');
    t.notOk(JSON.stringify(queued).includes(client.email));
    const { rows: stored } = await pool.query(`select data from log.events where type like 'Email%'`);
    const everything = JSON.stringify(stored);
    t.ok(stored.length > 0);
    t.notOk(everything.includes(client.email));
    const tokens = resend.taken.flatMap(({ text }) => /token=([\w.~-]+)/.exec(text)?.[1] ?? []);
    t.ok(tokens.length > 0);
    for (const token of tokens) t.notOk(everything.includes(token));
  });

  t.test('is given up after six attempts', async (t) => {
    resend.next.set(
      client.email,
      Array.from({ length: 6 }, () => 'dropped' as const),
    );
    const appointmentId = await book();
    t.match(await hurried(appointmentId, 'failed'), { attempts: 6, nextAttemptAt: null });
    const metrics = async () => (await fetch(`${service.url}/metrics`)).text();
    await eventually(metrics, (text) => /convene_jobs_total\{job="send-mail",outcome="given-up"\} [1-9]/.test(text));
    const dead = async () => pool.query(`select count(*)::int as n from pgboss.job where name = 'dead-jobs'`);
    await eventually(dead, ({ rows }) => rows[0].n > 0);
  });
});
