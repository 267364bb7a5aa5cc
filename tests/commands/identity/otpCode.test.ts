import { createHmac } from 'node:crypto';
import t from 'tap';
import { OTP_DIGITS, otpCode } from '../../../src/commands/identity/otpCode.ts';

const hashWith =
  (key: string) =>
  (purpose: string, value: string): string =>
    createHmac('sha256', key).update(`${purpose}\0${value}`).digest('hex');
const hash = hashWith('key');
const SAMPLES = 60_000;
const codes = Array.from({ length: SAMPLES }, (_, index) => otpCode(hash, `challenge-${index}`));

t.test('the code of a challenge', async (t) => {
  t.test('has six digits, leading zeros included', async (t) => {
    t.ok(codes.every((code) => code.length === OTP_DIGITS && /^\d+$/.test(code)));
    t.ok(codes.some((code) => code.startsWith('0')));
  });
  t.test('is the same again for the same challenge and key, and for no other key', async (t) => {
    t.equal(otpCode(hash, 'one'), otpCode(hash, 'one'));
    const others = Array.from({ length: 50 }, (_, index) => otpCode(hashWith(`key-${index}`), 'one'));
    t.ok(new Set(others).size > 45);
  });
  t.test('has every digit in every place equally often', async (t) => {
    for (let place = 0; place < OTP_DIGITS; place++) {
      const counts = new Map<string, number>();
      for (const code of codes) counts.set(code.charAt(place), (counts.get(code.charAt(place)) ?? 0) + 1);
      t.equal(counts.size, 10);
      const expected = SAMPLES / 10;
      const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      t.ok(chiSquare < 33.7, `place ${place}: ${chiSquare.toFixed(1)} of 9 degrees, past 33.7 once in 10,000`);
    }
  });
  t.test('meets another one as often as chance has it', async (t) => {
    const expected = SAMPLES ** 2 / 2 / 1_000_000;
    const repeated = SAMPLES - new Set(codes).size;
    t.ok(Math.abs(repeated - expected) < expected / 10, `${repeated} of about ${expected}`);
  });
});
