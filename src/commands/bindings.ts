import { accessBindings } from './access/index.ts';
import type { AnyBinding } from './binding.ts';
import { booking } from './booking/index.ts';
import { estimation } from './estimation/index.ts';
import { identityBindings } from './identity/index.ts';
import { emailBindings } from './messaging/emails.ts';
import { integrationBindings } from './messaging/index.ts';

/** Every command of the service. */
export const bindings: readonly AnyBinding[] = [
  ...accessBindings,
  ...identityBindings,
  ...estimation,
  ...booking,
  ...emailBindings,
  ...integrationBindings,
];

const byName: ReadonlyMap<string, AnyBinding> = new Map(bindings.map((binding) => [binding.command.name, binding]));

/** The binding of a command. Throws for one that has none. */
export const bindingOf = ({ name }: { readonly name: string }): AnyBinding => {
  const binding = byName.get(name);
  if (binding === undefined) throw new Error(`The command ${name} is bound nowhere`);
  return binding;
};
