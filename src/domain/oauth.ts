import { z } from 'zod';
import { MINUTE_MS } from './durations.ts';
import { line } from './fields.ts';

/** What every way to an OAuth provider and back has in common, whether somebody signs in with it or connects an account. */

/** Milliseconds that the way may take. */
export const FLOW_LIFE = 10 * MINUTE_MS;

/** What ties the answer of a provider to the way that was begun. */
export type FlowSecrets = {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE, RFC 7636. */
  readonly codeVerifier: string;
};

/** What a provider sends the browser back with; `iss` is who it says it is, RFC 9207. */
export type Callback = { readonly code: string; readonly state: string; readonly iss?: string | undefined };

/** `refused`: the provider does not vouch for it. `unavailable`: no answer that can be used, within five seconds. */
export type NotProved = 'refused' | 'unavailable';

/** What the browser comes back with, as a command takes it. */
export const Returned = z
  .object({
    state: line(1, 200),
    browser: z.string().max(2_000).optional().describe('What the cookie of the flow says'),
    code: z.string().min(1).max(4_000).optional(),
    error: z.string().min(1).max(200).optional(),
    iss: z.string().max(2_000).optional().describe('Who the provider says it is, RFC 9207'),
  })
  .refine(({ code, error }) => (code === undefined) !== (error === undefined), {
    path: ['code'],
    message: 'Exactly one of code and error is needed',
  });
