import t from 'tap';
import { contextLog, createLog, redact } from '../src/log.ts';

const lines = () => {
  let text = '';
  return {
    stream: {
      write: (line: string) => {
        text += line;
      },
    },
    all: (): Record<string, unknown>[] =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
};

t.test('redaction', async (t) => {
  t.same(
    redact({
      password: 'x',
      newPassword: 'x',
      user: { Access_Token: 'x', 'x-api-key': 'x', name: 'y' },
      list: [{ cookie: 'x' }],
    }),
    {
      password: '[redacted]',
      newPassword: '[redacted]',
      user: { Access_Token: '[redacted]', 'x-api-key': '[redacted]', name: 'y' },
      list: [{ cookie: '[redacted]' }],
    },
  );
  t.equal(redact('mail to someone.else+tag@example.org failed'), 'mail to [redacted] failed');
  t.match(redact(new Error('Key (email)=(a@b.example) already exists')), {
    message: 'Key (email)=([redacted]) already exists',
  });
  t.match(redact(Object.assign(new Error('x', { cause: new Error('of a@b.example') }), { code: '23505' })), {
    errorCode: '23505',
    cause: { message: 'of [redacted]' },
  });
  t.equal(redact(12n), '12');
  const round: { self?: unknown } = {};
  round.self = round;
  t.match(JSON.stringify(redact(round)), /deep/);
});

t.test('the log', async (t) => {
  const { stream, all } = lines();
  const log = createLog({ environment: 'production', logLevel: 'info' }, stream);
  log.debug('unseen');
  log.warn({ err: new Error('of someone@example.org'), token: 'x' }, 'to someone@example.org');
  log.fatal('end');
  t.equal(all().length, 2);
  t.match(all()[0], {
    level: 'warning',
    time: /^\d{4}-\d\d-\d\dT/,
    msg: 'to [redacted]',
    token: '[redacted]',
    err: { type: 'Error', message: 'of [redacted]', stack: String },
  });
  t.match(all()[1], { level: 'critical' });

  t.test('can be more talkative in one context', async (t) => {
    const config = { logContexts: { identity: 'debug' } } as const;
    contextLog(log, 'identity', config).debug('seen');
    contextLog(log, 'booking', config).debug('unseen');
    t.equal(all().length, 3);
    t.match(all()[2], { context: 'identity', msg: 'seen', level: 'debug' });
  });
});
