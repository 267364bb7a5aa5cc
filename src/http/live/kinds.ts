import type { AnyDecider } from '../../commands/binding.ts';
import { provider } from '../../domain/booking/provider/index.ts';
import { session } from '../../domain/estimation/session/index.ts';
import { availabilityTopic } from './availabilityTopic.ts';
import { offersTopic } from './offersTopic.ts';
import { sessionTopic } from './sessionTopic.ts';
import type { AnyTopicKind } from './topics.ts';

/** Every kind of topic, with the aggregate that it asks who may listen. */
export const kinds: readonly { readonly kind: AnyTopicKind; readonly decider?: AnyDecider }[] = [
  { kind: sessionTopic, decider: session },
  { kind: availabilityTopic, decider: provider },
  { kind: offersTopic },
];

export const topicKinds: readonly AnyTopicKind[] = kinds.map(({ kind }) => kind);
