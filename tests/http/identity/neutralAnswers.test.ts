import t from 'tap';
import { testService } from '../../support/service.ts';

t.test('asking for a mail is answered in words that tell nothing of the address', async (t) => {
  const { anonymous, newcomer } = await testService(t);
  const { email } = await newcomer();
  for (const path of ['/auth/forgot-password', '/auth/resend-verification', '/commands/RequestPasswordReset']) {
    const [known, unknown] = [
      await anonymous.post(path, { email }),
      await anonymous.post(path, { email: 'nobody@x.io' }),
    ];
    t.equal(known.status, 200, path);
    t.match(known.body, { success: true, message: /^If there is an account with this address/, data: {} });
    t.strictSame(unknown.body, known.body);
  }
});
