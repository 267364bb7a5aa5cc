import { instant, projection, type RowOf, text } from '../projection.ts';

const columns = { stream: text, not_before: instant };
export type TokenRevocationRow = RowOf<typeof columns>;

/** Since when sessions count at all: one row, once all tokens were revoked. */
export const tokenRevocations = projection({
  name: 'token_revocations',
  version: 1,
  columns,
  key: { column: 'stream', of: ({ stream }) => stream },
  fold: {
    AllTokensRevoked: (_row, { stream, data }): TokenRevocationRow => ({ stream, not_before: data.notBefore }),
  },
});
