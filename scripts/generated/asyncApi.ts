import type { z } from 'zod';
import type { AnyDecider } from '../../src/commands/binding.ts';
import type { AnyTopicKind } from '../../src/http/live/topics.ts';
import { shapeOf } from './shape.ts';

const ref = (path: string) => ({ $ref: `#/${path}` });
/** Names of components may hold letters, digits, dots, hyphens and underscores alone. */
const nameOf = (text: string): string => text.replaceAll(':', '.');

const envelope = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    stream: { type: 'string' },
    revision: { type: 'integer', description: 'Place in its stream, from 0' },
    position: { type: 'string', description: 'Place in the log: ordered, not dense' },
    recordedAt: { type: 'string', format: 'date-time' },
    schemaVersion: { type: 'integer' },
    metadata: {
      type: 'object',
      properties: {
        commandId: { type: 'string' },
        command: { type: 'string' },
        correlationId: { type: 'string' },
        causationId: { type: 'string' },
        actor: { type: 'object', properties: { id: { type: 'string' }, kind: { type: 'string' } } },
      },
    },
  },
} as const;

const frame = (event: string, data: z.ZodType) => ({
  type: 'object',
  properties: {
    event: { type: 'string', const: event },
    topic: { type: 'string' },
    data: shapeOf(data),
    at: { type: 'string', format: 'date-time' },
    seq: {
      type: 'string',
      description: 'Place in the log; hand it back as `after` to resume behind it. Missing where nothing is stored',
    },
  },
  required: ['event', 'topic', 'data', 'at'],
});

const streamChannel = ({ category, events }: AnyDecider) => ({
  address: `${category}-{id}`,
  summary: `Streams of the category ${category}`,
  parameters: { id: { description: 'Id of the stream' } },
  messages: Object.fromEntries(Object.keys(events).map((type) => [type, ref(`components/messages/${type}`)])),
});

const topicChannel = ({ name, summary, messages }: AnyTopicKind) => ({
  address: `${name}:{id}`,
  summary,
  parameters: { id: { description: `Id of the topic of kind ${name}` } },
  servers: [ref('servers/live')],
  messages: Object.fromEntries(
    Object.keys(messages).map((event) => [nameOf(event), ref(`components/messages/${nameOf(event)}`)]),
  ),
});

const channelName = (kind: 'stream' | 'topic', name: string): string => `${kind}.${name}`;

const description = `Generated from the event schemas. Channels \`stream.*\` are the streams of the log, channels \`topic.*\` what clients
are told live.

WebSocket \`/ws\`: the first message is {type: "auth", token} or {type: "auth", ticket}, within 10 s, answered by
{type: "auth:ok", expiresAt}; \`/ws?ticket=…\` needs none. Tickets come from \`POST /api/v1/live/tickets\`. Then
{type: "subscribe", topic, after?}, answered by {type: "subscribed", topic, seq}, by {type: "resync", topic, seq} when more
than 500 messages were missed (read afresh, messages behind seq follow), or by {type: "error", code, message, topic}; and
{type: "unsubscribe", topic}. With \`?names=hyphen\` message names have a hyphen instead of the colon. A new token before
the old one expires ({type: "auth:expiring", at} comes 30 s ahead) is another auth message. Close codes: 1001 the service
stops, 1008 too many messages at once, 1009 a message over 64 KB, 4401 no valid login or one that has ended, 4408 silent for
90 s or reading too slowly, 4429 too many connections. Topics of other kinds and malformed ids are refused with
VALIDATION_ERROR.

Server-sent events \`GET /api/v1/live?topics=a,b\`: login by header or ticket, the same messages, resumed by
\`Last-Event-ID\` or \`after\`. An event \`closing\` with {code, reason} says why the service ends a stream.`;

/** The events of the log and the live messages as an AsyncAPI 3.0 document. */
export const asyncApi = (deciders: readonly AnyDecider[], topics: readonly AnyTopicKind[], version: string): object => {
  const sorted = [...deciders].sort((a, b) => a.category.localeCompare(b.category, 'en'));
  const events = sorted.flatMap(({ events, older }) =>
    Object.entries(events).map(([type, schema]) => ({
      type,
      schema,
      version: (older?.[type]?.length ?? 0) + 1,
    })),
  );
  const operation = (name: string, summary: string) => ({ action: 'send', channel: ref(`channels/${name}`), summary });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Convene',
      version,
      description,
      license: { name: 'MIT' },
    },
    servers: { live: { host: 'localhost:3000', protocol: 'ws', pathname: '/ws' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries([
      ...sorted.map((decider) => [channelName('stream', decider.category), streamChannel(decider)]),
      ...topics.map((topic) => [channelName('topic', topic.name), topicChannel(topic)]),
    ]),
    operations: Object.fromEntries([
      ...sorted.map(({ category }) => [
        `append.${category}`,
        operation(channelName('stream', category), `Facts are appended to ${category}`),
      ]),
      ...topics.map(({ name, summary }) => [`tell.${name}`, operation(channelName('topic', name), summary)]),
    ]),
    components: {
      messages: Object.fromEntries([
        ...events.map(({ type, schema, version }) => [
          type,
          {
            name: type,
            title: type,
            headers: envelope,
            payload: shapeOf(schema),
            'x-schema-version': version,
          },
        ]),
        ...topics.flatMap(({ messages }) =>
          Object.entries(messages).map(([event, data]) => [
            nameOf(event),
            { name: event, payload: frame(event, data) },
          ]),
        ),
      ]),
    },
  };
};
