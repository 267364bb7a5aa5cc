import {
  createProviderProfile,
  generateTimeSlots,
  type ProfileFields,
  planGeneration,
  presented,
  provider,
  resumeSlotGeneration,
  updateProviderProfile,
} from '../../domain/booking/provider/index.ts';
import { account } from '../../domain/identity/account/index.ts';
import { bind, internal, type Outcome } from '../binding.ts';
import type { Reads } from '../reads.ts';
import { exampleIds, GenerationAnswer, ProfileAnswer } from './answers.ts';
import { meetsExisting, openGeneration } from './generation.ts';

/** Whether there is an account that may give or take appointments. */
export const accountExists = async (reads: Reads, accountId: string): Promise<boolean> =>
  (await reads.load(account, accountId)).state.status === 'active';

/** What a provider's history says of his profile. */
const profileFields = async (providerId: string, reads: Reads): Promise<ProfileFields | undefined> => {
  const history = await reads.history(provider, providerId);
  return history.findLast((event) => event.type === 'ProviderProfileCreated' || event.type === 'ProviderProfileUpdated')
    ?.data;
};

const refusedAsWhole: Outcome = {
  ok: false,
  code: 'CONFLICT',
  reason: 'slots-exist',
  message: 'Slots exist already in that time',
  details: [{ field: 'skipExisting', message: 'Slots exist already in that time' }],
};

/** Opens the slots of many days; reached through `POST /provider/timeslots`. */
export const generateBinding = bind(generateTimeSlots, {
  access: 'manage:availability',
  status: 201,
  summary: 'Open the slots of a stretch of days',
  example: { from: '2027-03-01', to: '2027-03-05', pattern: 'weekly' },
  stream: (_input, { actor }) => actor.id,
  version: ({ version }) => (version < 0 ? undefined : version),
  answer: {
    schema: GenerationAnswer,
    of: () => ({ created: 0, skipped: 0, firstStart: null, lastEnd: null }),
  },
  process: async ({ input, actor, newId, reads, step, judge }) => {
    const providerId = actor.id;
    const generationId = newId('generation');
    const { state } = await reads.load(provider, providerId);
    const known = state.generations.some(({ plan }) => plan.generationId === generationId);
    if (!input.skipExisting && !known) {
      const plan = planGeneration(input, state, { now: reads.now(), actor, newId });
      if (!('reason' in plan) && (await meetsExisting(plan, reads))) return refusedAsWhole;
    }
    const started = await judge();
    const { outcome, result } = await openGeneration({ providerId, generationId }, { reads, step }, started);
    if (!outcome.ok || result === undefined) return outcome;
    const { created, skipped, firstStart, lastEnd } = result;
    return { ...outcome, data: { created, skipped, firstStart, lastEnd } };
  },
});

/** Commands on a provider's profile, availability and slots. */
export const providerBindings = [
  bind(createProviderProfile, {
    path: 'POST /provider/profiles',
    access: '*:*',
    status: 201,
    summary: 'Make an account a provider of appointments',
    example: { accountId: exampleIds.account, displayName: 'Dr. Ada Weber', timezone: 'Europe/Luxembourg' },
    stream: ({ accountId }) => accountId,
    version: ({ version }) => (version < 0 ? undefined : version),
    facts: async ({ accountId }, reads) => ({ accountExists: await accountExists(reads, accountId) }),
    answer: {
      schema: ProfileAnswer,
      of: ({ events: [created], state: { version } }) => {
        if (created?.type !== 'ProviderProfileCreated') throw new TypeError('A profile came about without its event');
        const { accountId: _same, ...profile } = created.data;
        return { ...profile, active: true, version };
      },
    },
  }),
  bind(updateProviderProfile, {
    path: ['PUT /provider/profile', 'PUT /provider/profiles/:providerId'],
    access: 'manage:availability',
    summary: 'Replace the profile of a provider',
    example: { displayName: 'Dr. Ada Weber', location: '2 Rue du Fort' },
    stream: ({ providerId }, { actor }) => providerId ?? actor.id,
    version: ({ version }) => (version < 0 ? undefined : version),
    facts: async (_input, reads, { id }) => ({
      version: (await reads.load(provider, id)).state.version,
      fields: await profileFields(id, reads),
    }),
    answer: {
      schema: ProfileAnswer,
      of: ({ id, input, state: { profile, version } }) => ({
        ...presented(id, input),
        timezone: profile?.timezone ?? '',
        active: profile?.active ?? false,
        version,
      }),
    },
  }),
  generateBinding,
  internal(resumeSlotGeneration, ({ providerId }) => providerId, {
    process: async ({ input, reads, step, judge }) =>
      (await openGeneration(input, { reads, step }, await judge())).outcome,
  }),
];
