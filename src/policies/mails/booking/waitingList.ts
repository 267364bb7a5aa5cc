import { z } from 'zod';
import { newest } from '../../../commands/reads.ts';
import { dayOfSlot, scheduleId } from '../../../domain/booking/ids.ts';
import { isLive, schedule } from '../../../domain/booking/schedule/index.ts';
import { template, time } from '../template.ts';
import { hostOf } from './appointment.ts';
import { when } from './when.ts';

/**
 * Tells somebody on a waiting list of the slot that is held for him, and until when. Not sent when it is held for him no
 * longer.
 */
export const waitingListOffer = template(
  z.object({ slotId: z.string(), offerId: z.string(), expiresAt: z.string() }),
  async ({ slotId, offerId, expiresAt }, { reads, accountId, person, publicUrl }) => {
    const { providerId, day } = dayOfSlot(slotId);
    const slot = (await newest(reads, schedule, scheduleId({ providerId, day }))).slots[slotId];
    const host = (await hostOf(reads, providerId))?.now;
    if (slot?.hold?.offerId !== offerId || !isLive(slot.hold, reads.now()) || host === undefined) return undefined;
    const { timezone } = person;
    const waiting = `${publicUrl}/waiting-list?offerId=${offerId}`;
    return {
      subject: `A time with ${host.name} has become free`,
      name: person.displayName,
      paragraphs: [
        'you asked to be told when a time becomes free. This one is held for you.',
        `Book it until ${time(expiresAt, person)}; after that the next in line is asked.`,
      ],
      details: [
        { label: 'With', value: host.name },
        { label: 'When', value: when(slot, timezone) },
        ...(host.location === null ? [] : [{ label: 'Place', value: host.location }]),
      ],
      link: { text: 'Book it', url: `${publicUrl}/booking?slotId=${slotId}` },
      links: [
        { text: 'Not this one', url: `${waiting}&action=decline` },
        { text: 'Wait no longer', url: `${waiting}&action=leave` },
      ],
      concerns: [accountId, providerId],
    };
  },
);
