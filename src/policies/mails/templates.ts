import type { z } from 'zod';
import { bookingTemplates } from './booking/index.ts';
import { identityTemplates } from './identity.ts';
import { integrationTemplates } from './integrations.ts';

/** Every mail of the service, by its name. */
export const templates = { ...identityTemplates, ...bookingTemplates, ...integrationTemplates } as const;

export type TemplateName = keyof typeof templates;
export const TEMPLATES = Object.keys(templates) as readonly TemplateName[];

/** What is asked for when a mail is: the template, the account, and the ids and instants from which the mail is written. */
export type MailOrder = {
  [Name in TemplateName]: { readonly template: Name; readonly accountId: string } & z.input<
    (typeof templates)[Name]['fields']
  >;
}[TemplateName];
