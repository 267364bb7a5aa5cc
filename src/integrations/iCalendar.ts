import ical, {
  ICalAttendeeRole,
  ICalAttendeeStatus,
  ICalAttendeeType,
  type ICalCalendarMethod,
  type ICalEventData,
  ICalEventStatus,
} from 'ical-generator';

/** Somebody in a calendar. */
export type Participant = { readonly name: string; readonly address: string };

/** One appointment as a calendar shows it to one of its two sides. */
export type CalendarEntry = {
  /** The same for the whole life of the appointment, in mails, files and feeds alike. */
  readonly uid: string;
  /** A later one replaces an earlier one. */
  readonly sequence: number;
  /** ISO-8601 UTC: when this version came about. */
  readonly stamp: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly title: string;
  readonly description: string;
  readonly place: string | null;
  readonly url: string;
  readonly cancelled: boolean;
  /** In mails alone: who invites, and who is invited. */
  readonly invitation?: { readonly organizer: Participant; readonly attendee: Participant };
};

/** `PUBLISH`: to be shown. `REQUEST` and `CANCEL` put an entry of one's own in and take it out again. */
export type Method = 'PUBLISH' | 'REQUEST' | 'CANCEL';

const eventOf = (entry: CalendarEntry): ICalEventData => {
  const { invitation, cancelled } = entry;
  return {
    id: entry.uid,
    sequence: entry.sequence,
    stamp: new Date(entry.stamp),
    start: new Date(entry.startTime),
    end: new Date(entry.endTime),
    summary: entry.title,
    description: entry.description,
    location: entry.place,
    url: entry.url,
    status: cancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    ...(invitation === undefined
      ? {}
      : {
          organizer: { name: invitation.organizer.name, email: invitation.organizer.address },
          attendees: [
            {
              name: invitation.attendee.name,
              email: invitation.attendee.address,
              role: ICalAttendeeRole.REQ,
              type: ICalAttendeeType.INDIVIDUAL,
              // Booked is booked: nobody is asked for an answer, which nothing would read.
              status: ICalAttendeeStatus.ACCEPTED,
              rsvp: false,
            },
          ],
        }),
  };
};

/**
 * An iCalendar object (RFC 5545, 5546) with these entries. All times are UTC, so that no calendar needs a definition of
 * somebody's time zone. The same entries give the same text.
 */
export const iCalendar = (
  entries: readonly CalendarEntry[],
  {
    method,
    name,
    refreshSeconds,
  }: { readonly method: Method; readonly name?: string; readonly refreshSeconds?: number },
): string =>
  ical({
    prodId: '//Convene//Convene//EN',
    method: method as ICalCalendarMethod,
    ...(name === undefined ? {} : { name }),
    ...(refreshSeconds === undefined ? {} : { ttl: refreshSeconds }),
    events: entries.map(eventOf),
  }).toString();

/** What an entry says of an appointment. */
export type CalendarAppointment = {
  readonly appointmentId: string;
  readonly version: number;
  readonly changedAt: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly cancelled: boolean;
  readonly notes: string | null;
  /** The other side, as this one knows it. */
  readonly withWhom: string;
  readonly meetingLink: string | null;
  readonly location: string | null;
};

/** Where people look at an appointment, move it or cancel it. */
export const appointmentUrl = (publicUrl: string, appointmentId: string): string =>
  `${publicUrl}/appointments/${appointmentId}`;

/** An appointment as one side's calendar shows it. */
export const appointmentEntry = (appointment: CalendarAppointment, publicUrl: string): CalendarEntry => {
  const { appointmentId, notes, meetingLink, location } = appointment;
  const url = appointmentUrl(publicUrl, appointmentId);
  const lines = [
    ...(meetingLink === null ? [] : [`Meeting link: ${meetingLink}`]),
    ...(notes === null ? [] : [`Notes: ${notes}`]),
    `Move or cancel: ${url}`,
  ];
  return {
    uid: `${appointmentId}@convene`,
    sequence: appointment.version,
    stamp: appointment.changedAt,
    startTime: appointment.startTime,
    endTime: appointment.endTime,
    title: `Appointment with ${appointment.withWhom}`,
    description: lines.join('\n'),
    place: location ?? meetingLink,
    url,
    cancelled: appointment.cancelled,
  };
};
