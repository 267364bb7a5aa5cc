import { sessionTopic } from './sessionTopic.ts';
import type { AnyTopicKind } from './topics.ts';

/** Every kind of topic. */
export const topicKinds: readonly AnyTopicKind[] = [sessionTopic];
