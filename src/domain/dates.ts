const startOf = (date: Temporal.PlainDate, zone: string): string =>
  date.toZonedDateTime(zone).toInstant().toString({ fractionalSecondDigits: 3 });

/** The first instant of a date in a time zone, ISO-8601 UTC with milliseconds. */
export const dayStart = (date: string, zone: string): string => startOf(Temporal.PlainDate.from(date), zone);

/** The first instant after a date in a time zone. */
export const dayEnd = (date: string, zone: string): string =>
  startOf(Temporal.PlainDate.from(date).add({ days: 1 }), zone);
