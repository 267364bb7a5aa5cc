import t from 'tap';
import type { z } from 'zod';
import {
  connectIntegration,
  disconnectCalendar,
  type IntegrationEvent,
  integration,
  refreshIntegration,
  requireReconnect,
  revokeIntegration,
  storeTokens,
} from '../../../src/domain/messaging/integration/index.ts';
import { id, newId, now, spec, system, user } from '../../support/spec.ts';

const given = spec(integration);
const integrationId = id('integration');
const ada = user(id('ada'));
const eve = user(id('eve'));
const of = { integrationId, accountId: ada.id };
const CALENDAR = 'https://www.googleapis.com/auth/calendar.events';
const CONTACTS = 'https://www.googleapis.com/auth/contacts.readonly';

const tokens = {
  tokenKey: 'key',
  accessToken: 'ya29.one',
  refreshToken: '1//one',
  expiresAt: '2026-03-02T11:00:00.000Z',
};
const granting: z.input<typeof connectIntegration.input> = {
  ...of,
  ...tokens,
  provider: 'google',
  externalAccount: 'ada@gmail.test',
  scopes: [CALENDAR],
  granted: ['openid', CALENDAR],
  flowId: 'flow',
};
const connected = (more: object = {}): IntegrationEvent =>
  ({
    type: 'IntegrationConnected',
    data: {
      ...of,
      ...tokens,
      provider: 'google',
      externalAccount: 'ada@gmail.test',
      scopes: [CALENDAR],
      flowId: 'flow',
      ...more,
    },
  }) as IntegrationEvent;
const refreshed = (more: object = {}): IntegrationEvent =>
  ({ type: 'IntegrationTokenRefreshed', data: { ...of, ...tokens, ...more } }) as IntegrationEvent;
const revoked: IntegrationEvent = { type: 'IntegrationRevoked', data: { ...of, by: 'owner' } };
const dropped = (removeEvents: boolean, scopes: string[] = []): IntegrationEvent => ({
  type: 'CalendarDisconnected',
  data: { ...of, provider: 'google', scopes, removeEvents },
});
const claim = { claimId: newId('refresh'), until: new Date(now.getTime() + 20_000).toISOString() };
const started: IntegrationEvent = { type: 'IntegrationRefreshStarted', data: { ...of, ...claim } };
const refused: IntegrationEvent = { type: 'IntegrationNeedsReconnect', data: { ...of, reason: 'refresh-refused' } };
const none = { refreshToken: null };

t.test('connecting an outside account', async (t) => {
  t.test('keeps what was granted', async () =>
    given().when(connectIntegration, granting, system, none).then(connected()),
  );
  t.test('keeps the refresh token where the provider gives no other', async () =>
    given(connected())
      .when(connectIntegration, { ...granting, refreshToken: null, accessToken: 'ya29.two' }, system, {
        refreshToken: '1//one',
      })
      .then(refreshed({ accessToken: 'ya29.two' })),
  );
  t.test('unites what is granted with what was', async () =>
    given(connected())
      .when(connectIntegration, { ...granting, scopes: [CONTACTS], granted: [CALENDAR, CONTACTS] }, system, none)
      .then({ type: 'IntegrationScopesExtended', data: { ...of, scopes: [CALENDAR, CONTACTS] } }, refreshed()),
  );
  t.test('does not take back what was given up here, whatever the provider still tells of', async () =>
    given(connected({ scopes: [CALENDAR, CONTACTS] }), dropped(false, [CONTACTS]))
      .when(connectIntegration, { ...granting, scopes: [CONTACTS], granted: [CALENDAR, CONTACTS] }, system, none)
      .then(refreshed()),
  );
  t.test('revives one that has ended, under another key', async () =>
    given(connected(), revoked)
      .when(connectIntegration, { ...granting, tokenKey: 'another' }, system, none)
      .then(connected({ tokenKey: 'another' })),
  );
});

t.test('refreshing a connection', async (t) => {
  t.test('is claimed for twenty seconds', async () =>
    given(connected()).when(refreshIntegration, { integrationId }, ada).then(started),
  );
  t.test('is one at a time', async () =>
    given(connected(), { ...started, data: { ...started.data, claimId: 'another' } } as IntegrationEvent)
      .when(refreshIntegration, { integrationId }, ada)
      .rejected('refresh-under-way'),
  );
  t.test('is claimed anew when the time is over', async () => {
    const later = new Date(now.getTime() + 20_000);
    const { outcome } = given(connected(), started).when(
      refreshIntegration,
      { integrationId },
      { now: later, actor: ada },
    );
    t.match(outcome, [{ type: 'IntegrationRefreshStarted' }]);
  });
  t.test('does nothing where newer tokens are there', async () =>
    given(connected(), refreshed()).when(refreshIntegration, { integrationId, seen: 0 }, system).nothing(),
  );
  t.test('is refused', async (t) => {
    t.test('to others', async () =>
      given(connected()).when(refreshIntegration, { integrationId }, eve).rejected('integration-unknown'),
    );
    t.test('on nothing', async () =>
      given().when(refreshIntegration, { integrationId }, ada).rejected('integration-unknown'),
    );
    t.test('after the end', async () =>
      given(connected(), revoked).when(refreshIntegration, { integrationId }, ada).rejected('revoked'),
    );
    t.test('where the provider has refused', async () =>
      given(connected(), refused).when(refreshIntegration, { integrationId }, ada).rejected('needs-reconnect'),
    );
    t.test('without anything to refresh it with', async () =>
      given(connected({ refreshToken: null }))
        .when(refreshIntegration, { integrationId }, ada)
        .rejected('not-refreshable'),
    );
  });
  t.test('ends with fresh tokens, under the same key', async () =>
    given(connected(), started)
      .when(storeTokens, { integrationId, accessToken: 'ya29.two', refreshToken: '1//two', expiresAt: null }, system)
      .then(refreshed({ accessToken: 'ya29.two', refreshToken: '1//two', expiresAt: null })),
  );
  t.test('stores nothing once the connection has ended', async () =>
    given(connected(), started, revoked)
      .when(storeTokens, { integrationId, accessToken: 'ya29.two', refreshToken: null, expiresAt: null }, system)
      .nothing(),
  );
  t.test('may be the provider’s last word, which blames no newer tokens', async () => {
    given(connected(), started)
      .when(requireReconnect, { integrationId, reason: 'refresh-refused' }, system)
      .then(refused);
    given(connected(), refreshed())
      .when(requireReconnect, { integrationId, reason: 'refresh-refused', seen: 0 }, system)
      .nothing();
  });
});

t.test('giving up the calendar', async (t) => {
  t.test('ends a connection that serves nothing else', async () =>
    given(connected()).when(disconnectCalendar, { integrationId }, ada).then(dropped(false), revoked),
  );
  t.test('leaves the rest of it', async () =>
    given(connected({ scopes: [CALENDAR, CONTACTS] }))
      .when(disconnectCalendar, { integrationId }, ada)
      .then(dropped(false, [CONTACTS])),
  );
  t.test('ends behind the removal of events', async () => {
    given(connected()).when(disconnectCalendar, { integrationId, removeEvents: 'true' }, ada).then(dropped(true));
    given(connected(), dropped(true))
      .when(revokeIntegration, { integrationId, by: 'owner', onlyEnding: true }, system)
      .then(revoked);
  });
  t.test('cannot remove anything by what the provider refuses', async () =>
    given(connected(), refused)
      .when(disconnectCalendar, { integrationId, removeEvents: true }, ada)
      .then(dropped(false), revoked),
  );
  t.test('is refused where there is none', async () => {
    given().when(disconnectCalendar, { integrationId }, ada).rejected('calendar-not-connected');
    given(connected(), dropped(false), revoked)
      .when(disconnectCalendar, { integrationId }, ada)
      .rejected('calendar-not-connected');
    given(connected()).when(disconnectCalendar, { integrationId }, eve).rejected('calendar-not-connected');
  });
});

t.test('revoking a connection', async (t) => {
  t.test('ends it, once', async () => {
    given(connected()).when(revokeIntegration, { integrationId }, ada).then(revoked);
    given(connected(), revoked).when(revokeIntegration, { integrationId }, ada).nothing();
  });
  t.test('leaves alone what was connected anew meanwhile', async () =>
    given(connected(), dropped(true), connected())
      .when(revokeIntegration, { integrationId, onlyEnding: true }, system)
      .nothing(),
  );
  t.test('is refused to others, and not to the service in their name', async () => {
    given(connected()).when(revokeIntegration, { integrationId }, eve).rejected('integration-unknown');
    given(connected())
      .when(revokeIntegration, { integrationId, by: 'erasure' }, eve, { trusted: true })
      .then({ type: 'IntegrationRevoked', data: { ...of, by: 'erasure' } });
  });
});
