/** Where progress is shown. */
export type Screen = {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/**
 * A progress bar that redraws itself on a terminal; elsewhere one line per tenth, so that a log stays readable.
 * The bar of a label ends with a line break when `done` reaches `total`.
 */
export function progressOn(screen: Screen): (label: string, done: number, total: number) => void {
  const shown = new Map<string, number>();
  return (label, done, total) => {
    const share = total <= 0 ? 1 : Math.min(done / total, 1);
    const step = Math.floor(share * (screen.isTTY ? 200 : 10));
    if (shown.get(label) === step) return;
    shown.set(label, step);
    const figures = `${Math.floor(share * 100)}% ${done.toLocaleString('en')}/${total.toLocaleString('en')}`;
    if (!screen.isTTY) {
      screen.write(`${label} ${figures}\n`);
      return;
    }
    const width = Math.max(10, Math.min(40, (screen.columns ?? 80) - label.length - figures.length - 4));
    const full = Math.round(share * width);
    screen.write(`\r${label} ${'█'.repeat(full)}${'░'.repeat(width - full)} ${figures}${share === 1 ? '\n' : ''}`);
  };
}
