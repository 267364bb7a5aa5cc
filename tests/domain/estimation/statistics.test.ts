import fc from 'fast-check';
import t from 'tap';
import { DECKS } from '../../../src/domain/estimation/decks.ts';
import { inDeckOrder, pointsOf, statisticsOf } from '../../../src/domain/estimation/statistics.ts';

const deck = DECKS.fibonacci;

t.test('the statistics of a round', async (t) => {
  t.test('count every card and average the numeric ones', async (t) =>
    t.strictSame(statisticsOf(['3', '5', '?'], deck), {
      count: 3,
      average: 4,
      median: 4,
      min: 3,
      max: 5,
      mode: ['3', '5', '?'],
      consensus: false,
    }),
  );
  t.test('see a consensus among the counted cards', async (t) => {
    t.ok(statisticsOf(['5', '5', 'coffee', '?'], deck).consensus);
    t.ok(statisticsOf(['M', 'M'], DECKS.t_shirt).consensus);
    t.notOk(statisticsOf(['M', 'L'], DECKS.t_shirt).consensus);
  });
  t.test('have no average without a numeric card, and no consensus without a counted one', async (t) => {
    t.match(statisticsOf(['?', 'coffee'], deck), {
      count: 2,
      average: null,
      median: null,
      min: null,
      consensus: false,
    });
    t.match(statisticsOf(['M'], DECKS.t_shirt), { average: null, median: null, max: null, consensus: true });
    t.match(statisticsOf([], deck), { count: 0, average: null, mode: [], consensus: false });
  });
  t.test('name the most frequent cards in deck order', async (t) =>
    t.strictSame(statisticsOf(['8', '3', '8', '3', '13'], deck).mode, ['3', '8']),
  );
  t.test('round halves away from zero', async (t) => {
    t.equal(statisticsOf(['0.05'], []).average, 0.1);
    t.equal(statisticsOf(['-0.05'], []).average, -0.1);
    t.equal(statisticsOf(['1', '2', '2', '2'], deck).average, 1.8);
    t.equal(statisticsOf(['0.15', '0.15', '0.15'], []).average, 0.2);
    t.equal(statisticsOf(['0', '0.5'], DECKS.modified_fibonacci).median, 0.3);
  });
});

const cards = (of: readonly string[]) => fc.array(fc.constantFrom(...of), { maxLength: 50 });

t.test('the statistics of any cards', async (t) => {
  t.test('do not depend on their order', async (t) =>
    fc.assert(
      fc.property(cards(deck), (played) => {
        t.strictSame(statisticsOf(played.toReversed(), deck), statisticsOf(played, deck));
      }),
      { numRuns: 50 },
    ),
  );
  t.test('keep average and median between the extremes', async () =>
    fc.assert(
      fc.property(cards(DECKS.modified_fibonacci), (played) => {
        const { average, median, min, max } = statisticsOf(played, DECKS.modified_fibonacci);
        if (min === null || max === null) return average === null && median === null;
        const within = (value: number | null) => value !== null && value >= min && value <= max + 0.05;
        return within(average) && within(median);
      }),
    ),
  );
  t.test('see a consensus exactly when one counted card was played', async () =>
    fc.assert(
      fc.property(cards(['1', '2', '?']), (played) => {
        const counted = new Set(played.filter((card) => card !== '?'));
        return statisticsOf(played, deck).consensus === (counted.size === 1);
      }),
    ),
  );
});

t.test('cards in deck order tell nothing of who played them', async () =>
  fc.assert(
    fc.property(cards([...deck, 'other']), (played) =>
      inDeckOrder(played, deck).every((card, index) => card === inDeckOrder(played.toReversed(), deck)[index]),
    ),
  ),
);

t.test('points add the numeric estimates exactly', async (t) => {
  t.equal(pointsOf(['0.1', '0.2', '4-6', '?', '3']), 3.3);
  t.equal(pointsOf([]), 0);
});
