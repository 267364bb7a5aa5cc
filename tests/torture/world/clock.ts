/**
 * Loaded into a service process before anything else (`node --import`): shifts what the process takes for the time of day
 * by what its parent sends as `{ clockOffsetMs }`. Timers and `performance.now` go on as they do in a real clock change.
 */
let offset = 0;

const RealDate = Date;
const realInstant = Temporal.Now.instant.bind(Temporal.Now);
const now = (): number => RealDate.now() + offset;

const ShiftedDate: DateConstructor = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, parts: unknown[], made): object =>
    Reflect.construct(target, parts.length === 0 ? [now()] : parts, made === ShiftedDate ? target : made),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
globalThis.Date = ShiftedDate;
RealDate.prototype.constructor = ShiftedDate;

const instant = (): Temporal.Instant => realInstant().add({ milliseconds: offset });
const zoned = (zone: Temporal.TimeZoneLike = Temporal.Now.timeZoneId()): Temporal.ZonedDateTime =>
  instant().toZonedDateTimeISO(zone);
Object.assign(Temporal.Now, {
  instant,
  zonedDateTimeISO: zoned,
  plainDateTimeISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainDateTime(),
  plainDateISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainDate(),
  plainTimeISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainTime(),
});

process.on('message', (message: unknown) => {
  if (typeof message === 'object' && message !== null && 'clockOffsetMs' in message)
    if (typeof message.clockOffsetMs === 'number') {
      offset = message.clockOffsetMs;
      process.send?.({ clockOffsetMs: offset });
    }
});
