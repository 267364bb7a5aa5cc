import type { AnyBinding } from './binding.ts';
import { estimation } from './estimation.ts';

/** Every command of the service. */
export const bindings: readonly AnyBinding[] = [...estimation];
