import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/messaging/integration/index.ts';
import {
  CLAIM_LIFE,
  confirmRevocation,
  connectIntegration,
  disconnectCalendar,
  failRefresh,
  integration,
  refreshIntegration,
  requireReconnect,
  revokeIntegration,
  storeTokens,
} from '../../../src/domain/messaging/integration/index.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const ada = person('ada');
const ben = person('ben');
const service = { id: 'policy:test', kind: 'system', permissions: ['*:*'], verified: true } as const;
const who = fc.constantFrom(ada, ada, ben, service);
const integrationId = named('integration');
const CALENDAR = 'https://www.googleapis.com/auth/calendar.events';
const CONTACTS = 'https://www.googleapis.com/auth/contacts.readonly';
const some = fc.subarray([CALENDAR, CONTACTS], { minLength: 1 });

type World = {
  status: 'none' | 'active' | 'needs_reconnect' | 'ending' | 'revoked';
  scopes: string[];
  /** How often tokens were stored, where the newest lie, and whether they can be refreshed. */
  stored: number;
  refreshable: boolean;
  claim: { id: string; until: number } | undefined;
  removing: boolean;
  keys: number;
};
const on = movesIn<World>();
const lives = ({ status }: World): boolean => status === 'active' || status === 'ending';
const sorted = (scopes: readonly string[]): readonly string[] => [...scopes].sort();

/** A connection to an outside account: connected, extended, refreshed by one at a time, given up, refused, revived. */
export const integrationModel = model({
  decider: integration,
  commands,
  world: (): World => ({
    status: 'none',
    scopes: [],
    stored: 0,
    refreshable: false,
    claim: undefined,
    removing: false,
    keys: 0,
  }),
  waits: [1, 1_000, CLAIM_LIFE],
  moments: ({ claim }) => (claim === undefined ? [] : [claim.until - 1, claim.until]),
  first: 'connect',
  lives: 200,
  moves: {
    connect: on(fc.record({ asked: some, granted: some, again: fc.boolean() }), ({ asked, granted, again }, world) => ({
      command: connectIntegration,
      input: {
        integrationId,
        accountId: ada.id,
        provider: 'google',
        externalAccount: 'ada@gmail.test',
        scopes: asked.filter((scope) => granted.includes(scope)),
        granted,
        flowId: 'flow',
        tokenKey: `key ${world.keys}`,
        accessToken: 'access',
        refreshToken: again ? 'refresh' : null,
        expiresAt: null,
      },
      facts: { refreshToken: world.refreshable ? 'kept' : null },
      expect: () => {
        const before = world.scopes;
        const held = before.filter((scope) => granted.includes(scope));
        const scopes = [...new Set([...held, ...asked.filter((scope) => granted.includes(scope))])];
        const was = world.status;
        Object.assign(world, { scopes, stored: world.stored + 1, claim: undefined });
        if (was !== 'active') {
          Object.assign(world, { status: 'active', removing: false, refreshable: again, keys: world.keys + 1 });
          return [{ type: 'IntegrationConnected', data: { scopes } }];
        }
        world.refreshable ||= again;
        const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(scopes));
        if (!same) world.removing = false;
        return [...(same ? [] : ['IntegrationScopesExtended']), 'IntegrationTokenRefreshed'];
      },
    })),
    refresh: on(fc.record({ who, stale: fc.boolean() }), ({ who, stale }, world, { now, newId }) => ({
      command: refreshIntegration,
      input: { integrationId, ...(stale ? { seen: -2 } : {}) },
      actor: who,
      expect: () => {
        if (world.status === 'none' || who === ben) return 'integration-unknown';
        if (world.status === 'revoked') return 'revoked';
        if (world.status === 'needs_reconnect') return 'needs-reconnect';
        if (!world.refreshable) return 'not-refreshable';
        if (stale) return [];
        if (world.claim !== undefined && world.claim.until > now.getTime()) return 'refresh-under-way';
        world.claim = { id: newId('refresh'), until: now.getTime() + CLAIM_LIFE };
        return [{ type: 'IntegrationRefreshStarted', data: { accountId: ada.id, claimId: world.claim.id } }];
      },
    })),
    store: on(fc.boolean(), (refreshable, world) => ({
      command: storeTokens,
      input: {
        integrationId,
        accessToken: 'fresh',
        refreshToken: refreshable ? 'next' : null,
        expiresAt: '2026-03-02T11:00:00.000Z',
      },
      expect: () => {
        if (!lives(world)) return [];
        Object.assign(world, { stored: world.stored + 1, refreshable, claim: undefined });
        return [{ type: 'IntegrationTokenRefreshed', data: { tokenKey: `key ${world.keys - 1}` } }];
      },
    })),
    letGo: on(fc.boolean(), (mine, world) => ({
      command: failRefresh,
      input: { integrationId, claimId: mine ? (world.claim?.id ?? 'none') : 'of somebody else' },
      expect: () => {
        if (world.claim === undefined || !mine) return [];
        world.claim = undefined;
        return ['IntegrationRefreshFailed'];
      },
    })),
    refuse: on(fc.boolean(), (stale, world) => ({
      command: requireReconnect,
      input: { integrationId, reason: 'refresh-refused', ...(stale ? { seen: -2 } : {}) },
      twice: 'nothing',
      expect: () => {
        if (world.status !== 'active' || stale) return [];
        Object.assign(world, { status: 'needs_reconnect', claim: undefined });
        return ['IntegrationNeedsReconnect'];
      },
    })),
    disconnect: on(fc.record({ who, removeEvents: fc.boolean() }), ({ who, removeEvents }, world) => ({
      command: disconnectCalendar,
      input: { integrationId, removeEvents },
      actor: who,
      expect: () => {
        if (who === ben || !world.scopes.includes(CALENDAR)) return 'calendar-not-connected';
        const removing = removeEvents && world.status === 'active';
        world.scopes = world.scopes.filter((scope) => scope !== CALENDAR);
        if (removing) world.removing = true;
        const told = { type: 'CalendarDisconnected', data: { removeEvents: removing, scopes: world.scopes } };
        if (world.scopes.length > 0) return [told];
        world.status = removing ? 'ending' : 'revoked';
        if (removing) return [told];
        world.claim = undefined;
        return [told, 'IntegrationRevoked'];
      },
    })),
    revoke: on(
      fc.record({ who, trusted: fc.boolean(), onlyEnding: fc.boolean() }),
      ({ who, trusted, onlyEnding }, world) => ({
        command: revokeIntegration,
        input: { integrationId, by: 'closing', onlyEnding },
        actor: who,
        facts: { trusted },
        twice: 'nothing',
        expect: () => {
          if (world.status === 'none' || (who === ben && !trusted)) return 'integration-unknown';
          if (world.status === 'revoked' || (onlyEnding && world.status !== 'ending')) return [];
          Object.assign(world, { status: 'revoked', scopes: [], claim: undefined });
          const by = trusted || who === service ? 'closing' : 'owner';
          return [{ type: 'IntegrationRevoked', data: { by } }];
        },
      }),
    ),
    confirm: on(fc.constant({}), (_drawn, world) => ({
      command: confirmRevocation,
      input: { integrationId },
      expect: () => (world.status === 'revoked' ? ['IntegrationRevokedAtProvider'] : []),
    })),
  },
  seen: ({ status, scopes, refreshable, claim, removing }) => ({
    status,
    scopes: sorted(scopes),
    refreshable,
    claimed: claim?.id,
    removing: removing === true,
  }),
  expected: ({ status, scopes, refreshable, claim, removing }) => ({
    status,
    scopes: sorted(scopes),
    refreshable,
    claimed: claim?.id,
    removing,
  }),
  always: ({ tokensAt, tokenKey }, { keys }, history) => {
    const newest = history.findLastIndex(
      ({ type }) => type === 'IntegrationConnected' || type === 'IntegrationTokenRefreshed',
    );
    assert.equal(tokensAt, newest, 'the newest tokens are found');
    assert.equal(tokenKey, keys === 0 ? undefined : `key ${keys - 1}`);
  },
  refusals: [
    'integration-unknown',
    'revoked',
    'needs-reconnect',
    'not-refreshable',
    'refresh-under-way',
    'calendar-not-connected',
  ],
});
