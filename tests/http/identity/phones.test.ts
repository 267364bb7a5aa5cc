import t from 'tap';
import { type Client, eventually, sharedService } from '../../support/service.ts';

const service = await sharedService();
const { anonymous, newcomer, codeTo } = service;

let last = 1_000;
const number = (): string => {
  last += 1;
  return `+49305550${last}`;
};
const add = (client: Client, digits: string, label?: string) =>
  client.post('/users/me/phone-numbers', { number: digits, ...(label === undefined ? {} : { label }) });
const verify = (client: Client, id: string, code: string) =>
  client.post(`/users/me/phone-numbers/${id}/verify`, { code });
const list = async (client: Client) => (await client.get('/users/me/phone-numbers')).body.data.items;
const remove = (client: Client, id: string) => client.delete(`/users/me/phone-numbers/${id}`);

/** Adds a number and proves it; gives its id. */
const proved = async (client: Client, digits = number()): Promise<string> => {
  const { id } = (await add(client, digits)).body.data;
  t.equal((await verify(client, id, await codeTo(digits))).status, 200);
  return id;
};
const other = (code: string): string => code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));

t.test('adding a number', async (t) => {
  t.test('sends a code to it', async (t) => {
    const somebody = await newcomer();
    const digits = number();
    const { status, body } = await add(somebody, digits, 'Office');
    t.equal(status, 201);
    t.match(body.data, { id: /^[0-9a-f-]{36}$/, verified: false, challengeId: /^[0-9a-f-]{36}$/ });
    t.match(await codeTo(digits), /^\d{6}$/);
    t.match(await list(somebody), [
      { id: body.data.id, number: digits, label: 'Office', verified: false, primary: false, addedAt: /Z$/ },
    ]);
  });
  t.test('is refused for one that is there, for a sixth, and for what is none', async (t) => {
    const somebody = await newcomer();
    const first = number();
    await add(somebody, first);
    t.match(await add(somebody, first), { status: 409, body: { error: { reason: 'number-listed' } } });
    for (let count = 2; count <= 5; count++) t.equal((await add(somebody, number())).status, 201);
    t.match(await add(somebody, number()), { status: 409, body: { error: { reason: 'number-limit' } } });
    t.match(await add(somebody, '030 123'), { status: 422, body: { error: { details: [{ field: 'number' }] } } });
    t.equal((await anonymous.post('/users/me/phone-numbers', {})).status, 401);
  });
  t.test('within a minute of a code to it adds nothing', async (t) => {
    const [somebody, another] = [await newcomer(), await newcomer()];
    const digits = number();
    const { id } = (await add(somebody, digits)).body.data;
    t.equal((await remove(somebody, id)).status, 200);
    for (const client of [somebody, another]) {
      const again = await add(client, digits);
      t.match(again, { status: 429, body: { error: { code: 'RATE_LIMIT_EXCEEDED' } } });
      t.ok(Number(again.headers.get('retry-after')) > 0);
      t.strictSame(await list(client), []);
    }
  });
  t.test('answers a repeat with the same key alike', async (t) => {
    const somebody = await newcomer();
    const send = () => somebody.post('/users/me/phone-numbers', { number: digits }, { 'idempotency-key': 'once' });
    const digits = number();
    const [first, second] = [await send(), await send()];
    t.equal(second.headers.get('idempotency-replayed'), 'true');
    t.strictSame(first.body, second.body);
  });
  t.test('goes with the registration, too', async (t) => {
    const digits = number();
    const account = { email: 'phone@x.io', password: 'Correct-horse-7', displayName: 'P', acceptTerms: true };
    t.equal((await anonymous.post('/auth/register', { ...account, phoneNumber: digits })).status, 201);
    const somebody = await service.login(account.email);
    t.match(await list(somebody), [{ number: digits, verified: false }]);
    t.match((await somebody.get('/users/me')).body.data, { phoneNumber: digits, phoneVerified: false });
    const [{ id }] = await list(somebody);
    t.equal((await somebody.post('/auth/send-otp', { phoneNumber: digits, purpose: 'verify_phone' })).status, 200);
    t.equal((await verify(somebody, id, await codeTo(digits))).status, 200);
  });
});

t.test('verifying a number', async (t) => {
  t.test('takes the code, makes the first one primary and the account verified', async (t) => {
    const somebody = await newcomer();
    t.equal((await somebody.post('/sessions', { name: 'Sprint' })).status, 403);
    const digits = number();
    const { id } = (await add(somebody, digits)).body.data;
    const code = await codeTo(digits);
    const answer = await verify(somebody, id, code);
    t.equal(answer.status, 200);
    t.strictSame(answer.body.data, { verified: true });
    t.match(await list(somebody), [{ id, verified: true, primary: true }]);
    t.match((await somebody.get('/users/me')).body.data, {
      phoneNumber: digits,
      phoneVerified: true,
      emailVerified: false,
    });
    await eventually(
      () => somebody.post('/sessions', { name: 'Sprint' }),
      ({ status }) => status === 201,
    );
    t.equal((await verify(somebody, id, code)).status, 200, 'twice changes nothing');
  });
  t.test('is refused for a wrong code, and after five for the right one', async (t) => {
    const somebody = await newcomer();
    const digits = number();
    const { id } = (await add(somebody, digits)).body.data;
    const code = await codeTo(digits);
    for (let count = 1; count <= 5; count++)
      t.match(await verify(somebody, id, other(code)), {
        status: 422,
        body: { error: { code: 'VALIDATION_ERROR', details: [{ field: 'code' }] } },
      });
    t.equal((await verify(somebody, id, code)).status, 422, 'void');
    t.match(await list(somebody), [{ verified: false }]);
    t.equal((await verify(somebody, id, 'abc')).status, 422);
  });
  t.test('is refused for numbers of others and for unknown ones', async (t) => {
    const [somebody, stranger] = [await newcomer(), await newcomer()];
    const digits = number();
    const { id } = (await add(somebody, digits)).body.data;
    const code = await codeTo(digits);
    for (const unknown of [id, '00000000-0000-4000-8000-000000000000'])
      t.equal((await verify(stranger, unknown, code)).status, 404);
    t.equal((await verify(somebody, id, code)).status, 200);
  });
  t.test('by a code needs a number of the own account', async (t) => {
    const somebody = await newcomer();
    const sent = await somebody.post('/auth/send-otp', { phoneNumber: number(), purpose: 'verify_phone' });
    t.match(sent, { status: 422, body: { error: { details: [{ field: 'phoneNumber' }] } } });
  });
});

t.test('several numbers', async (t) => {
  const somebody = await newcomer();
  const [first, second] = [await proved(somebody), await proved(somebody)];
  const { id: third } = (await add(somebody, number())).body.data;
  const update = (id: string, body: object) => somebody.put(`/users/me/phone-numbers/${id}`, body);
  const primaries = async () =>
    (await list(somebody)).filter(({ primary }: { primary: boolean }) => primary).map(({ id }: { id: string }) => id);

  t.test('have one primary, which can be another verified one', async (t) => {
    t.strictSame(await primaries(), [first]);
    const { status, body } = await update(second, { primary: true, label: 'Mobile' });
    t.equal(status, 200);
    t.match(body.data, { id: second, primary: true, verified: true, label: 'Mobile', number: /^\+/, addedAt: /Z$/ });
    t.strictSame(await primaries(), [second]);
    t.match(await update(third, { primary: true }), { status: 409, body: { error: { reason: 'number-unverified' } } });
    t.equal((await update(second, { primary: false })).status, 422);
    t.equal((await somebody.post('/commands/SetPrimaryPhoneNumber', { phoneNumberId: first })).status, 200);
    t.strictSame(await primaries(), [first]);
  });
  t.test('have labels', async (t) => {
    t.match(await update(third, { label: 'Old' }), { status: 200, body: { data: { label: 'Old', verified: false } } });
    t.equal((await update(third, { label: 'x'.repeat(31) })).status, 422);
    t.equal((await list(somebody))[2].label, 'Old');
  });
  t.test('are removed; the one verified first takes the place of the primary', async (t) => {
    t.equal((await remove(somebody, first)).status, 200);
    t.strictSame(await primaries(), [second]);
    t.equal((await remove(somebody, first)).status, 404);
    t.equal((await remove(somebody, second)).status, 200);
    t.strictSame(await primaries(), []);
    t.match((await somebody.get('/users/me')).body.data, { phoneVerified: false });
    const stranger = await newcomer();
    t.equal((await remove(stranger, third)).status, 404);
    t.equal((await stranger.put(`/users/me/phone-numbers/${third}`, { label: 'x' })).status, 404);
  });
  t.test('keep the one that codes of the second factor go to', async (t) => {
    const careful = await newcomer();
    const id = await proved(careful);
    const setup = { password: 'Correct-horse-7', method: 'sms', phoneNumberId: id };
    t.equal((await careful.post('/auth/mfa/setup', setup)).status, 200);
    const [{ number: digits }] = await list(careful);
    const confirmed = await careful.post('/auth/mfa/verify-setup', { code: await codeTo(digits, 2) });
    t.equal(confirmed.status, 200);
    t.match(await remove(careful, id), { status: 409, body: { error: { reason: 'number-in-use' } } });
  });
});
