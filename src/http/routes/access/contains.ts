/** Whether a text holds a part without regard to case; any does when no part is asked for. */
export const contains = (text: string, part: string | undefined): boolean =>
  part === undefined || text.toLowerCase().includes(part.toLowerCase());
