import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { httpsUrl, line, lines, uuid } from '../../fields.ts';
import type { SessionEvent } from './events.ts';
import {
  closed,
  ledStory,
  notFacilitating,
  notFacilitator,
  notTakingPart,
  sessionRef,
  sessionUnknown,
} from './guards.ts';
import { command, type Session, type Story } from './state.ts';

const MAX_STORIES = 200;
/** Stories of one import. */
export const MAX_IMPORTED = 100;

const title = line(1, 200);
const description = lines(0, 5000);
const externalRef = line(0, 100).describe('Its key in another system');

/** A story as it is put on the list. */
export const StoryInput = z.object({
  title,
  description: description.optional(),
  externalRef: externalRef.optional(),
  url: httpsUrl.optional(),
});
type StoryInput = z.output<typeof StoryInput>;

const tooMany = (): Rejection => reject('CONFLICT', 'too-many-stories', `A session takes ${MAX_STORIES} stories`);

const added = (sessionId: string, storyId: string, story: StoryInput, order: number): SessionEvent => {
  const { title, description, externalRef, url } = story;
  const data = {
    sessionId,
    storyId,
    title,
    ...(description === undefined ? {} : { description }),
    ...(externalRef === undefined ? {} : { externalRef }),
    ...(url === undefined ? {} : { url }),
    order,
  };
  return { type: 'StoryAdded', data };
};

/** Puts a story at the end of the list. */
export const addStory = command(
  'AddStory',
  StoryInput.extend({ sessionId: sessionRef }),
  (story, state, { actor, newId }) => {
    const outsider = notTakingPart(state, actor);
    if (state.id === null || outsider !== undefined) return outsider ?? sessionUnknown();
    if (state.settings.whoCanAddStories === 'facilitator' && state.facilitatorId !== actor.id) return notFacilitator();
    const ended = closed(state);
    if (ended !== undefined) return ended;
    if (state.stories.length >= MAX_STORIES) return tooMany();
    return [added(state.id, newId('story'), story, state.stories.length + 1)];
  },
);

/** Puts many stories at the end of the list: all of them, or none. */
export const importStories = command(
  'ImportStories',
  z.object({
    sessionId: sessionRef,
    stories: z
      .array(StoryInput)
      .min(1, 'At least one story')
      .max(MAX_IMPORTED, `At most ${MAX_IMPORTED} stories at once`),
  }),
  ({ stories }, state, { actor, newId }) => {
    const refusal = notFacilitating(state, actor) ?? closed(state);
    const { id } = state;
    if (id === null || refusal !== undefined) return refusal ?? sessionUnknown();
    const before = state.stories.length;
    if (before + stories.length > MAX_STORIES) return tooMany();
    return stories.map((story, index) => added(id, newId(`story ${index}`), story, before + index + 1));
  },
);

/** The story that the facilitator may rework: one that nobody is voting on. */
const reworkable = (state: Session, actor: Actor, storyId: string): Story | Rejection => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  return state.round?.storyId === storyId
    ? reject('CONFLICT', 'round-open', 'A story stays as it is while its round is open')
    : story;
};

/** Rewrites a story; what is left out stays as it is, null takes a text away. */
export const updateStory = command(
  'UpdateStory',
  z.object({
    sessionId: sessionRef,
    storyId: uuid,
    title: title.optional(),
    description: description.nullable().optional(),
    externalRef: externalRef.nullable().optional(),
    url: httpsUrl.nullable().optional(),
  }),
  ({ sessionId: _session, storyId, ...texts }, state, { actor }) => {
    const story = reworkable(state, actor, storyId);
    if ('reason' in story) return story;
    if (state.id === null) return sessionUnknown();
    const { title, description, externalRef, url } = texts;
    const changed = {
      ...(title === undefined || title === story.title ? {} : { title }),
      ...(description === undefined || description === story.description ? {} : { description }),
      ...(externalRef === undefined || externalRef === story.externalRef ? {} : { externalRef }),
      ...(url === undefined || url === story.url ? {} : { url }),
    };
    if (Object.keys(changed).length === 0) return [];
    return [{ type: 'StoryUpdated', data: { sessionId: state.id, storyId, changed } }];
  },
);

/** Takes a story off the list, whatever came of it. */
export const removeStory = command(
  'RemoveStory',
  z.object({ sessionId: sessionRef, storyId: uuid }),
  ({ storyId }, state, { actor }) => {
    const story = reworkable(state, actor, storyId);
    if ('reason' in story) return story;
    if (state.id === null) return sessionUnknown();
    return [{ type: 'StoryRemoved', data: { sessionId: state.id, storyId } }];
  },
);

/** Puts the list in another order, in which every story is named once. */
export const reorderStories = command(
  'ReorderStories',
  z.object({ sessionId: sessionRef, storyIds: z.array(uuid).max(MAX_STORIES, `At most ${MAX_STORIES} stories`) }),
  ({ storyIds }, state, { actor }) => {
    const refusal = notFacilitating(state, actor) ?? closed(state);
    if (state.id === null || refusal !== undefined) return refusal ?? sessionUnknown();
    const present = state.stories.map(({ id }) => id);
    const named = new Set(storyIds);
    if (storyIds.length !== present.length || !present.every((id) => named.has(id)))
      return reject('VALIDATION_ERROR', 'stories-differ', 'Name every story of the session once', 'storyIds');
    if (present.every((id, index) => id === storyIds[index])) return [];
    return [{ type: 'StoriesReordered', data: { sessionId: state.id, storyIds } }];
  },
);
