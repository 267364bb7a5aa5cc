import { z } from 'zod';
import { SEQ } from './cursor.ts';

const TOKEN_CHARS = 8_192;
const TICKET_CHARS = 100;
const TOPIC_CHARS = 200;
const topic = z.string().max(TOPIC_CHARS);

/** Everything that a client may say. */
export const ClientMessage = z.discriminatedUnion('type', [
  z
    .object({
      type: z.literal('auth'),
      token: z.string().max(TOKEN_CHARS).optional().describe('An access token'),
      ticket: z.string().max(TICKET_CHARS).optional().describe('A ticket of `POST /live/tickets`'),
    })
    .refine(({ token, ticket }) => (token === undefined) !== (ticket === undefined), {
      path: ['token'],
      message: 'Give either token or ticket',
    }),
  z.object({
    type: z.literal('subscribe'),
    topic,
    after: z.string().regex(SEQ).optional().describe('`seq` of the last message seen: everything behind it follows'),
  }),
  z.object({ type: z.literal('unsubscribe'), topic }),
  z.object({ type: z.literal('ping') }),
]);
export type ClientMessage = z.output<typeof ClientMessage>;

/** A message, or what is wrong with it. */
export type Parsed =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly wrong: string; readonly topic?: string };

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const TYPES = ClientMessage.options.flatMap(({ shape }) => [...shape.type.values]);
const Typed = z.object({ type: z.enum(TYPES as [string, ...string[]]) });
const OfTopic = z.object({ topic });

/** Reads what a client said. */
export const parsed = (text: string): Parsed => {
  const json = jsonOf(text);
  if (typeof json !== 'object' || json === null) return { ok: false, wrong: 'Messages are JSON objects' };
  if (!Typed.safeParse(json).success) return { ok: false, wrong: `type must be one of ${TYPES.join(', ')}` };
  const found = ClientMessage.safeParse(json);
  if (found.success) return { ok: true, message: found.data };
  const [issue] = found.error.issues;
  const about = OfTopic.safeParse(json).data;
  return { ok: false, wrong: `${issue?.path.join('.')}: ${issue?.message}`, ...about };
};
