import { createHmac } from 'node:crypto';
import t from 'tap';
import { isSigned, noticeIn } from '../../src/integrations/resendNotices.ts';
import { id } from '../support/spec.ts';

const emailId = id('mail');
const at = '2026-03-02T10:00:00.000Z';
const told = (type: string, data: object = {}) => ({
  type,
  created_at: '2026-03-02T10:00:00Z',
  data: { email_id: 'e', tags: { email_id: emailId }, ...data },
});

t.test('a notice', async (t) => {
  for (const [type, notice] of [
    ['email.delivered', 'delivered'],
    ['email.opened', 'opened'],
    ['email.complained', 'complaint'],
    ['email.bounced', 'hard'],
    ['email.suppressed', 'hard'],
    ['email.failed', 'soft'],
  ] as const)
    t.strictSame(noticeIn(told(type)), { emailId, notice, at }, type);
  for (const [type, notice] of [
    ['Permanent', 'hard'],
    ['Transient', 'soft'],
    ['Undetermined', 'soft'],
  ] as const)
    t.match(noticeIn(told('email.bounced', { bounce: { type, message: 'x' } })), { notice }, type);
  t.strictSame(
    noticeIn(told('email.opened', { tags: [{ name: 'email_id', value: emailId }] })),
    { emailId, notice: 'opened', at },
    'names its mail in either form of tags',
  );
  t.match(noticeIn({ ...told('email.opened'), created_at: 'yesterday' }), { at: undefined });
  for (const other of [
    told('email.sent'),
    told('email.clicked'),
    told('contact.created'),
    told('email.opened', { tags: { email_id: 'no id' } }),
    told('email.opened', { tags: {} }),
    told('email.opened', { tags: 'email_id' }),
    told('email.opened', { tags: undefined }),
    { type: 'email.opened' },
    'email.opened',
    null,
  ])
    t.equal(noticeIn(other), undefined, `is passed over: ${JSON.stringify(other).slice(0, 80)}`);
});

t.test('a signature', async (t) => {
  const secret = `whsec_${Buffer.from('a key that nobody knows').toString('base64')}`;
  const other = `whsec_${Buffer.from('a key that nobody uses').toString('base64')}`;
  const sign = (payload: string, timestamp: string, by = secret) =>
    `v1,${createHmac('sha256', Buffer.from(by.slice(6), 'base64'))
      .update(`m1.${timestamp}.${payload}`)
      .digest('base64')}`;
  const payload = '{"type":"email.sent"}';
  const now = String(Math.floor(Date.now() / 1000));
  const headers = { id: 'm1', timestamp: now, signature: sign(payload, now) };

  t.equal(await isSigned([secret], payload, headers), true);
  t.equal(await isSigned([other, secret], payload, headers), true, 'counts by any of the secrets');
  const several = { ...headers, signature: `v1,AAAA ${headers.signature} v2,x` };
  t.equal(await isSigned([secret], payload, several), true, 'counts among several');
  t.equal(await isSigned([], payload, headers), false);
  t.equal(await isSigned([other], payload, headers), false);
  t.equal(await isSigned([secret], `${payload} `, headers), false, 'is of the bytes that came');
  for (const [what, bent] of Object.entries({
    id: { ...headers, id: 'm2' },
    timestamp: { ...headers, timestamp: String(Number(now) + 1) },
    'a missing one': { ...headers, signature: '' },
    'a broken one': { ...headers, signature: 'v1' },
    'no time': { ...headers, timestamp: 'now' },
  }))
    t.equal(await isSigned([secret], payload, bent), false, what);
  // Five minutes are allowed; a minute more, for the time that the test takes.
  for (const [what, seconds] of Object.entries({ old: -301, 'to come': 360 })) {
    const timestamp = String(Number(now) + seconds);
    const stale = { ...headers, timestamp, signature: sign(payload, timestamp) };
    t.equal(await isSigned([secret], payload, stale), false, `does not count when it is ${what}`);
  }
});
