import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { uuid } from '../../fields.ts';
import { capabilitiesIn, scopesFor } from '../offers.ts';
import type { IntegrationEvent } from './events.ts';
import { command, INTEGRATION_UNKNOWN, isOwn } from './state.ts';

/** The refusal of an account that has no calendar connected. */
export const CALENDAR_NOT_CONNECTED = reject('NOT_FOUND', 'calendar-not-connected', 'No calendar is connected');

/**
 * Gives up the calendar of a connection, which ends when it serves nothing else; where events are to be removed first, it
 * ends behind that.
 */
export const disconnectCalendar = command(
  'DisconnectCalendar',
  z.object({
    integrationId: uuid.optional().describe('The one in use when omitted'),
    removeEvents: z
      .union([z.boolean(), z.enum(['true', 'false'])])
      .default(false)
      .describe('Whether the events that were written go too; otherwise they stay'),
  }),
  ({ integrationId, removeEvents }, state, { actor }): readonly IntegrationEvent[] | Rejection => {
    const { accountId, provider, status, scopes } = state;
    const has = provider !== undefined && capabilitiesIn(provider, scopes).includes('calendar');
    if (integrationId === undefined || accountId === undefined || !isOwn(state, actor) || !has)
      return CALENDAR_NOT_CONNECTED;
    const left = scopes.filter((scope) => !scopesFor(provider, 'calendar').includes(scope));
    // What the provider no longer stands by cannot be used to remove anything.
    const removing = String(removeEvents) === 'true' && status === 'active';
    const of = { integrationId, accountId };
    return [
      { type: 'CalendarDisconnected', data: { ...of, provider, scopes: left, removeEvents: removing } },
      ...(left.length > 0 || removing
        ? []
        : [{ type: 'IntegrationRevoked' as const, data: { ...of, by: 'owner' as const } }]),
    ];
  },
);

/** What RevokeIntegration may be told: that the service ends it for its holder, whoever acts. */
export type RevokeFacts = { readonly trusted: boolean } | undefined;

/** Ends a connection; one that has ended stays so. */
export const revokeIntegration = command(
  'RevokeIntegration',
  z.object({
    integrationId: uuid,
    by: z.enum(['owner', 'closing', 'erasure', 'system']).optional().describe('For the service itself'),
    onlyEnding: z.boolean().optional().describe('Leaves one alone that was connected anew meanwhile'),
  }),
  ({ integrationId, by = 'system', onlyEnding }, state, { actor, facts }: { actor: Actor; facts: RevokeFacts }) => {
    const { accountId, status } = state;
    const trusted = facts?.trusted === true || actor.kind === 'system';
    if (accountId === undefined || (!trusted && !isOwn(state, actor))) return INTEGRATION_UNKNOWN;
    if (status === 'revoked' || (onlyEnding && status !== 'ending')) return [];
    return [{ type: 'IntegrationRevoked', data: { integrationId, accountId, by: trusted ? by : 'owner' } }];
  },
);

/** Notes that the provider has confirmed the end. */
export const confirmRevocation = command(
  'ConfirmIntegrationRevocation',
  z.object({ integrationId: uuid }),
  ({ integrationId }, { accountId, status }) =>
    accountId === undefined || status !== 'revoked'
      ? []
      : [{ type: 'IntegrationRevokedAtProvider', data: { integrationId, accountId } }],
);
