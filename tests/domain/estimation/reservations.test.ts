import fc from 'fast-check';
import t from 'tap';
import { CODE } from '../../../src/domain/estimation/session/index.ts';
import { codeFrom, freeSessionCode, sessionCode, takeSessionCode } from '../../../src/domain/estimation/sessionCode.ts';
import { freeSessionPlace, sessionHost, takeSessionPlace } from '../../../src/domain/estimation/sessionHost.ts';
import { id, now, spec } from '../../support/spec.ts';

const [mine, other] = [id('mine'), id('other')];
const code = 'ABC234';
const takenAt = now.toISOString();

t.test('the reservation of a code', async (t) => {
  const given = spec(sessionCode);
  const taken = (sessionId: string) => ({ type: 'SessionCodeTaken' as const, data: { code, sessionId, takenAt } });
  const freed = (sessionId: string) => ({ type: 'SessionCodeFreed' as const, data: { code, sessionId } });

  t.test('is made once', async () => {
    given().when(takeSessionCode, { code, sessionId: mine }).then(taken(mine));
    given(taken(mine)).when(takeSessionCode, { code, sessionId: mine }).nothing();
    given(taken(other)).when(takeSessionCode, { code, sessionId: mine }).rejected('code-taken');
  });
  t.test('is taken over from a session that never came about', async () => {
    given(taken(other)).when(takeSessionCode, { code, sessionId: mine, abandoned: other }).then(taken(mine));
    given(taken(other))
      .when(takeSessionCode, { code, sessionId: mine, abandoned: id('third') })
      .rejected('code-taken');
  });
  t.test('is given back by its holder alone', async () => {
    given(taken(mine)).when(freeSessionCode, { code, sessionId: mine }).then(freed(mine));
    given(taken(other)).when(freeSessionCode, { code, sessionId: mine }).nothing();
    given().when(freeSessionCode, { code, sessionId: mine }).nothing();
    given(taken(other), freed(other)).when(takeSessionCode, { code, sessionId: mine }).then(taken(mine));
  });
});

t.test('codes from random bits have six letters and digits that are not mistaken for others', async () =>
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) =>
      CODE.test(codeFrom(Buffer.from(bytes).toString('hex'))),
    ),
  ),
);

t.test('the places of one creator', async (t) => {
  const given = spec(sessionHost);
  const accountId = id('fay');
  const taken = (sessionId: string) => ({
    type: 'SessionPlaceTaken' as const,
    data: { accountId, sessionId, code, takenAt },
  });
  const freed = (sessionId: string) => ({ type: 'SessionPlaceFreed' as const, data: { accountId, sessionId } });
  const twenty = Array.from({ length: 20 }, (_, index) => taken(id(`session ${index}`)));
  const place = { accountId, sessionId: mine, code, gone: [] };

  t.test('are taken once a session', async () => {
    given().when(takeSessionPlace, place).then(taken(mine));
    given(taken(mine))
      .when(takeSessionPlace, { ...place, code: 'XYZ789' })
      .nothing();
  });
  t.test('are twenty', async () => {
    given(...twenty.slice(1))
      .when(takeSessionPlace, place)
      .then(taken(mine));
    given(...twenty)
      .when(takeSessionPlace, place)
      .rejected('too-many-sessions');
  });
  t.test('are free again when the session is closed', async () => {
    given(...twenty)
      .when(takeSessionPlace, { ...place, gone: [id('session 3')] })
      .then(freed(id('session 3')), taken(mine));
    given(...twenty, freed(id('session 3')))
      .when(takeSessionPlace, place)
      .then(taken(mine));
    given(taken(mine)).when(freeSessionPlace, { accountId, sessionId: mine }).then(freed(mine));
    given().when(freeSessionPlace, { accountId, sessionId: mine }).nothing();
  });
});
