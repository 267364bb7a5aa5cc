import { type Rejection, reject } from '../../domain/decider.ts';
import type { Reads } from '../reads.ts';

/** The provider that is meant where none is named: the only one who is active. `none` is the answer where nobody is. */
export const onlyProvider = async (reads: Reads, none: Rejection): Promise<string | Rejection> => {
  const [one, other] = await reads.lookups.activeProviders(2);
  if (one === undefined) return none;
  if (other === undefined) return one;
  return reject('VALIDATION_ERROR', 'provider-missing', 'Several providers are active: name one', 'providerId');
};
