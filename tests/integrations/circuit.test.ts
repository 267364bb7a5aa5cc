import t from 'tap';
import { createCircuit } from '../../src/integrations/circuit.ts';
import { DeliveryFailed, isFinal, NotConfigured } from '../../src/integrations/delivery.ts';

const clocked = () => {
  let now = 1_000;
  const circuit = createCircuit('smtp', () => now);
  let calls = 0;
  const call = (error?: Error): Promise<string> =>
    circuit.run(async () => {
      calls += 1;
      if (error !== undefined) throw error;
      return 'taken';
    });
  const down = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await call(new DeliveryFailed('smtp', 'etimedout')).catch(() => {});
  };
  return { circuit, call, down, calls: () => calls, pass: (ms: number): number => (now += ms) };
};

t.test('a circuit', async (t) => {
  t.test('hands on what a call gives or throws', async (t) => {
    const { circuit, call } = clocked();
    t.equal(await call(), 'taken');
    await t.rejects(call(new DeliveryFailed('smtp', 421)), { code: 'smtp-421' });
    t.equal(circuit.state(), 'closed');
  });
  t.test('opens after five failures in a row, and then calls nobody for thirty seconds', async (t) => {
    const { circuit, call, calls, down, pass } = clocked();
    await down(4);
    await call();
    await down(4);
    t.equal(circuit.state(), 'closed');
    await down(1);
    t.equal(circuit.state(), 'open');
    await t.rejects(call(), { code: 'smtp-circuit-open', permanent: false });
    pass(29_999);
    await t.rejects(call(), { code: 'smtp-circuit-open' });
    t.equal(calls(), 10);
  });
  t.test('then lets one call try: it closes, or opens for another thirty seconds', async (t) => {
    const { circuit, call, calls, down, pass } = clocked();
    await down(5);
    pass(30_000);
    t.equal(circuit.state(), 'half-open');
    await down(1);
    t.equal(circuit.state(), 'open');
    pass(30_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const trial = circuit.run(() => promise);
    t.equal(circuit.state(), 'open');
    await t.rejects(call(), { code: 'smtp-circuit-open' }, 'one call tries, the others do not');
    resolve();
    await trial;
    t.equal(circuit.state(), 'closed');
    t.equal(await call(), 'taken');
    t.equal(calls(), 7);
  });
  t.test('takes a final refusal for an answer', async (t) => {
    const { circuit, call, down } = clocked();
    await down(4);
    await t.rejects(call(new DeliveryFailed('smtp', 550, true)), { code: 'smtp-550' });
    await down(4);
    t.equal(circuit.state(), 'closed');
  });
});

t.test('a failure is final', async (t) => {
  t.equal(isFinal(new DeliveryFailed('smtp', 550, true)), true);
  t.equal(isFinal(new NotConfigured('sms')), true);
  t.equal(isFinal(new DeliveryFailed('smtp', 421)), false);
  t.equal(isFinal(new Error('else')), false);
});
