import { assignmentBindings } from './assignments.ts';
import { roleBindings } from './roles.ts';

/** Every command of access: what it runs, where it is called, who may, which stream it judges. */
export const accessBindings = [...roleBindings, ...assignmentBindings];
