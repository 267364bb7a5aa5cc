import { ownVotes } from './ownVotes.ts';
import { sessionHistory } from './sessionHistory.ts';
import { sessionMembers } from './sessionMembers.ts';
import { sessionNames } from './sessionNames.ts';
import { estimationSessions } from './sessions.ts';
import { estimationStories } from './stories.ts';

/** Every read model of estimation. */
export const estimationProjections = [
  estimationSessions,
  estimationStories,
  sessionMembers,
  sessionNames,
  ownVotes,
  sessionHistory,
] as const;
