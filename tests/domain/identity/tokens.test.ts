import t from 'tap';
import { revokeAllTokens, type TokensEvent, tokens } from '../../../src/domain/identity/tokens.ts';
import { id, now, spec, user } from '../../support/spec.ts';

const given = spec(tokens);
const root = user(id('root'), '*:*');
const reason = 'A backup with sessions was lost';
const revoked = (notBefore: Date): TokensEvent => ({
  type: 'AllTokensRevoked',
  data: { by: root.id, reason, notBefore: notBefore.toISOString() },
});
const later = new Date(now.getTime() + 5);

t.test('ending every session', async (t) => {
  t.test('ends those that began before, as often as it is asked for', async () => {
    given().when(revokeAllTokens, { reason }, root).then(revoked(now));
    given(revoked(now)).when(revokeAllTokens, { reason }, { actor: root, now: later }).then(revoked(later));
  });
  t.test('leaves ended what was ended, by a clock that is behind too', async () =>
    given(revoked(later)).when(revokeAllTokens, { reason }, root).then(revoked(later)),
  );
  t.test('tells why', async () =>
    given().when(revokeAllTokens, { reason: 'too short' }, root).rejected('input-invalid', 'reason'),
  );
});
