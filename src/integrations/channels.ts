import { type Circuit, createCircuit } from './circuit.ts';
import { type Mailer, messageIds } from './email.ts';
import { createOutbox, forgetMessages } from './outbox.ts';
import { noSms, type Sms } from './sms.ts';
import type { TwilioAccount } from './twilio.ts';

/** The ways by which messages leave. */
export type Channels = {
  readonly mailer: Mailer;
  readonly sms: Sms;
  /** Forgets what is kept of messages to an account. */
  readonly forget: (accountId: string) => Promise<void>;
  /** Of the services behind them. */
  readonly circuits: readonly Circuit[];
};

/** What is configured; of the mail services at most one. */
export type ChannelSettings = {
  readonly production: boolean;
  readonly smtpUrl: string | undefined;
  readonly resendApiKey: string | undefined;
  readonly resendApiUrl?: string;
  readonly mailFrom: string;
  readonly mailReplyTo: string | undefined;
  readonly twilio: TwilioAccount | undefined;
};

/**
 * The mailer and the sender of text messages that the configuration names; where it names none, the outbox, or for text
 * messages in production nothing. A service's library is loaded only where it is used.
 */
export const openChannels = async (
  settings: ChannelSettings,
  deps: Omit<Parameters<typeof createOutbox>[0], 'production'>,
): Promise<Channels> => {
  const { production, smtpUrl, resendApiKey, resendApiUrl, mailFrom, mailReplyTo, twilio } = settings;
  const outbox = createOutbox({ ...deps, production });
  const circuits: Circuit[] = [];
  const circuitOf = (service: string): Circuit => {
    const circuit = createCircuit(service);
    circuits.push(circuit);
    return circuit;
  };

  const mailOver = (service: string, mailer: Mailer): Mailer => {
    const circuit = circuitOf(service);
    return outbox.mailerOver({ send: (mail) => circuit.run(() => mailer.send(mail)) });
  };
  const openMailer = async (): Promise<Mailer> => {
    const sender = { from: mailFrom, replyTo: mailReplyTo ?? mailFrom, messageId: messageIds(deps.hash, mailFrom) };
    if (smtpUrl !== undefined) {
      const { smtpMailer } = await import('./smtp.ts');
      return mailOver('smtp', smtpMailer({ ...sender, url: smtpUrl }));
    }
    if (resendApiKey !== undefined) {
      const { resendMailer } = await import('./resend.ts');
      return mailOver(
        'resend',
        resendMailer({
          ...sender,
          apiKey: resendApiKey,
          ...(resendApiUrl === undefined ? {} : { apiUrl: resendApiUrl }),
        }),
      );
    }
    return outbox.mailer;
  };

  const openSms = async (): Promise<Sms> => {
    if (twilio === undefined) return production ? noSms : outbox.sms;
    const { twilioSms } = await import('./twilio.ts');
    const circuit = circuitOf('twilio');
    const { send } = twilioSms(twilio);
    return outbox.smsOver({
      send: (message) => circuit.run(() => send(message)),
      available: () => circuit.state() !== 'open',
    });
  };

  const [mailer, sms] = await Promise.all([openMailer(), openSms()]);
  return { mailer, sms, forget: (accountId) => forgetMessages(deps.pool, accountId), circuits };
};
