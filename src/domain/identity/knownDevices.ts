import { z } from 'zod';
import { commandsOf, decider, type EventOf, pii, secret } from '../decider.ts';
import { instant, line, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  DeviceSeen: z
    .object({
      accountId: z.string(),
      deviceHash: secret(z.string()).describe('Keyed hash of what the device calls itself'),
      sessionId: z.string(),
      ip: pii('accountId', z.string()),
      first: z.boolean().describe('The account had not been used on any device before'),
      at: z.string(),
    })
    .describe('Somebody logged in on a device on which the account had not been used before'),
};
export type KnownDevicesEvent = EventOf<typeof events>;

/** Keyed hashes, newest last. */
export type KnownDevices = { readonly devices: readonly string[] };

/** The latest devices, which are told from new ones. */
const KEPT = 200;

/** The devices on which an account was used; the stream's id is the account's. */
export const knownDevices = decider<KnownDevices, KnownDevicesEvent>({
  category: 'knownDevices',
  events,
  initial: { devices: [] },
  evolve: ({ devices }, { type, data }) => {
    switch (type) {
      case 'DeviceSeen':
        return { devices: [...devices, data.deviceHash].slice(-KEPT) };
    }
  },
});

/** Takes note of the device of a log-in. One that is known changes nothing. */
export const noteDevice = commandsOf(knownDevices)(
  'NoteDevice',
  z.object({
    accountId: uuid,
    device: line(0, 400).describe('What it calls itself'),
    sessionId: uuid,
    ip: line(0, 100),
    at: instant,
  }),
  ({ device: _device, ...input }, { devices }, { facts }: { facts: { readonly deviceHash: string } }) =>
    devices.includes(facts.deviceHash)
      ? []
      : [{ type: 'DeviceSeen', data: { ...input, ...facts, first: devices.length === 0 } }],
);
