import { accessBindings } from './access.ts';
import type { AnyBinding } from './binding.ts';
import { booking } from './booking.ts';
import { estimation } from './estimation.ts';
import { identityBindings } from './identity.ts';

/** Every command of the service. */
export const bindings: readonly AnyBinding[] = [...accessBindings, ...identityBindings, ...estimation, ...booking];
