import { z } from 'zod';

/** The outside services that people can connect. */
export const PROVIDERS = ['google', 'microsoft', 'github'] as const;
export const Provider = z.enum(PROVIDERS);
export type Provider = z.output<typeof Provider>;

/** What a connection can be used for. */
export const CAPABILITIES = ['email', 'calendar', 'contacts', 'drive', 'repos'] as const;
export const Capability = z.enum(CAPABILITIES);
export type Capability = z.output<typeof Capability>;

type Offer = {
  readonly name: string;
  /** Who somebody is: asked for every time, and no capability. */
  readonly identity: readonly string[];
  /** What each capability needs; one is there once all its scopes are granted. */
  readonly scopes: Readonly<Partial<Record<Capability, readonly string[]>>>;
  /** What an account must hold, beside keeping integrations at all. */
  readonly permission?: string;
};

const GOOGLE = 'https://www.googleapis.com/auth';

/** What each provider offers, by its own names. */
export const offers: Readonly<Record<Provider, Offer>> = {
  google: {
    name: 'Google',
    identity: ['openid', 'email'],
    scopes: {
      email: [`${GOOGLE}/gmail.readonly`, `${GOOGLE}/gmail.send`],
      calendar: [`${GOOGLE}/calendar.events`],
      contacts: [`${GOOGLE}/contacts.readonly`],
      drive: [`${GOOGLE}/drive.readonly`],
    },
  },
  microsoft: {
    name: 'Microsoft',
    identity: ['openid', 'email', 'offline_access'],
    scopes: {
      email: ['Mail.Read', 'Mail.Send'],
      calendar: ['Calendars.ReadWrite'],
      contacts: ['Contacts.Read'],
      drive: ['Files.Read'],
    },
    permission: 'integrate:external-services',
  },
  github: {
    name: 'GitHub',
    identity: ['read:user', 'user:email'],
    scopes: { repos: ['repo'] },
    permission: 'integrate:external-services',
  },
};

const entriesOf = (provider: Provider) => Object.entries(offers[provider].scopes) as [Capability, readonly string[]][];

/** The capabilities that a provider offers. */
export const capabilitiesOf = (provider: Provider): readonly Capability[] =>
  entriesOf(provider).map(([capability]) => capability);

/** Every scope that can be asked of a provider. */
export const scopesOf = (provider: Provider): readonly string[] => entriesOf(provider).flatMap(([, scopes]) => scopes);

/** The scopes that a capability needs; none where the provider does not offer it. */
export const scopesFor = (provider: Provider, capability: Capability): readonly string[] =>
  offers[provider].scopes[capability] ?? [];

/** The capabilities that granted scopes make up. */
export const capabilitiesIn = (provider: Provider, granted: readonly string[]): readonly Capability[] =>
  entriesOf(provider)
    .filter(([, scopes]) => scopes.every((scope) => granted.includes(scope)))
    .map(([capability]) => capability);
