import { z } from 'zod';
import { reject } from '../../decider.ts';
import { line, uuid } from '../../fields.ts';
import { ledStory, sessionRef, sessionUnknown } from './guards.ts';
import { command } from './state.ts';

/** Accepts the result of the revealed round; may be corrected until the session is completed. */
export const acceptEstimate = command(
  'AcceptEstimate',
  z.object({ sessionId: sessionRef, storyId: uuid, value: line(1, 8).describe('A card, or any other short text') }),
  ({ storyId, value }, state, { actor }) => {
    const story = ledStory(state, actor, storyId);
    if ('reason' in story) return story;
    if (state.id === null) return sessionUnknown();
    if (story.status !== 'revealed' && story.status !== 'estimated')
      return reject('CONFLICT', 'not-revealed', 'No revealed round of this story awaits its estimate');
    if (story.status === 'estimated' && story.estimate === value) return [];
    return [{ type: 'EstimateAccepted', data: { sessionId: state.id, storyId, value } }];
  },
);

/** Sets a story aside; an open round of it ends without result. */
export const skipStory = command(
  'SkipStory',
  z.object({ sessionId: sessionRef, storyId: uuid }),
  ({ storyId }, state, { actor }) => {
    const story = ledStory(state, actor, storyId);
    if ('reason' in story) return story;
    if (state.id === null) return sessionUnknown();
    return story.status === 'skipped' ? [] : [{ type: 'StorySkipped', data: { sessionId: state.id, storyId } }];
  },
);
