import ICAL from 'ical.js';
import t from 'tap';
import { mailServer } from '../support/mailServer.ts';
import { inDays, practice } from '../support/practice.ts';
import { type Client, eventually, testService } from '../support/service.ts';

t.test('mails about appointments by SMTP', async (t) => {
  const { url, mails } = await mailServer(t);
  const service = await testService(t, { SMTP_URL: url, MAIL_FROM: 'Convene <no-reply@example.com>' });
  const received = (to: string, subject: RegExp) =>
    eventually(
      async () => mails.find((mail) => mail.to.includes(to) && subject.test(mail.headers.get('subject') ?? '')),
      (mail) => mail !== undefined,
    );
  const user = async (name = 'Somebody'): Promise<Client> => {
    const account = await service.newcomer(name);
    const mail = await received(account.email, /verify/);
    const token = /token=([\w.~-]+)/.exec(mail?.parts.get('text/plain') ?? '')?.[1];
    t.equal((await service.anonymous.post('/auth/verify-email', { token })).status, 200);
    return account;
  };
  const { newProvider, newClient, openSlots, freeSlots } = practice({ ...service, user });
  const [provider, client] = [await newProvider(), await newClient('Carol')];
  await openSlots(provider, inDays(3));
  const [slot] = await freeSlots(client, provider, inDays(3));
  const { body } = await client.post('/appointments', { slotId: slot?.slotId });
  const entryIn = (mail: Awaited<ReturnType<typeof received>>) => {
    const calendar = new ICAL.Component(ICAL.parse(mail?.parts.get('text/calendar') ?? ''));
    const { uid, sequence, organizer, startDate } = new ICAL.Event(
      calendar.getFirstSubcomponent('vevent') ?? undefined,
    );
    const method = calendar.getFirstPropertyValue('method');
    return { method, uid, sequence, organizer, start: startDate.toJSDate().toISOString() };
  };

  const uid = `${body.data.id}@convene`;
  const start = slot?.startTime;
  const organizer = 'mailto:no-reply@example.com';
  for (const { email } of [client, provider])
    t.match(entryIn(await received(email, /^Your appointment/)), {
      method: 'REQUEST',
      uid,
      sequence: 0,
      start,
      organizer,
    });
  await provider.put(`/appointments/${body.data.id}`, { status: 'CANCELLED', reason: 'The practice is closed' });
  const cancelled = await received(client.email, /^Cancelled/);
  t.match(entryIn(cancelled), { method: 'CANCEL', uid, sequence: 1, start, organizer });
  t.match(cancelled?.parts.get('text/plain'), /the provider has cancelled[\s\S]*Reason: The practice is closed/);
  await eventually(
    () => provider.get('/provider/emails?status=sent&template=cancellation'),
    ({ body }) => body.data.items.length === 2,
  );
});
