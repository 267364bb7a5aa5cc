import { z } from 'zod';
import { reject } from '../../decider.ts';
import { httpsUrl, line, lines, uuid } from '../../fields.ts';
import { closed, ledStory, notFacilitator, notTakingPart, sessionRef, sessionUnknown } from './guards.ts';
import { command, type Round, type Session } from './state.ts';

const MAX_STORIES = 200;

/** Puts a story at the end of the list. */
export const addStory = command(
  'AddStory',
  z.object({
    sessionId: sessionRef,
    title: line(1, 200),
    description: lines(0, 5000).optional(),
    externalRef: line(0, 100).optional().describe('Its key in another system'),
    url: httpsUrl.optional(),
  }),
  ({ title, description, externalRef, url }, state, { actor, newId }) => {
    const outsider = notTakingPart(state, actor);
    if (state.id === null || outsider !== undefined) return outsider ?? sessionUnknown();
    if (state.settings.whoCanAddStories === 'facilitator' && state.facilitatorId !== actor.id) return notFacilitator();
    const ended = closed(state);
    if (ended !== undefined) return ended;
    if (state.stories.length >= MAX_STORIES)
      return reject('CONFLICT', 'too-many-stories', `A session takes ${MAX_STORIES} stories`);
    const data = {
      sessionId: state.id,
      storyId: newId('story'),
      title,
      ...(description === undefined ? {} : { description }),
      ...(externalRef === undefined ? {} : { externalRef }),
      ...(url === undefined ? {} : { url }),
      order: state.stories.length + 1,
    };
    return [{ type: 'StoryAdded', data }];
  },
);

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

const expired = ({ deadline, votes }: Round, now: Date): boolean =>
  Object.keys(votes).length === 0 && isDue(deadline, now);

/** Clocks of the machines that run timers and rules may differ by this much, in milliseconds. */
const CLOCK_SKEW = 2000;

/** Whether the timer of a round has run out. */
export const isDue = (deadline: string | null, now: Date): boolean =>
  deadline !== null && now.getTime() + CLOCK_SKEW >= Date.parse(deadline);

const skippable = (state: Session, storyId: string, now: Date): boolean =>
  state.round?.storyId === storyId && expired(state.round, now);

/**
 * Sets a story aside; an open round of it ends without result. The service itself does so only when the timer of the
 * round has run out and nobody has voted.
 */
export const skipStory = command(
  'SkipStory',
  z.object({ sessionId: sessionRef, storyId: uuid }),
  ({ storyId }, state, { actor, now }) => {
    const story = ledStory(state, actor, storyId);
    if ('reason' in story) return story;
    if (state.id === null) return sessionUnknown();
    if (actor.kind === 'system' && !skippable(state, storyId, now))
      return reject('CONFLICT', 'not-due', 'The round is not over yet');
    if (story.status === 'skipped') return [];
    return [{ type: 'StorySkipped', data: { sessionId: state.id, storyId } }];
  },
);
