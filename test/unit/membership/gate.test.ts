import {Worker} from 'node:worker_threads';
import test from 'ava';
import {createGateBuffer, Gate, GATE_LEASE_MS, GateReader} from '../../../src/membership/gate.ts';
import {generationOf} from '../../support/sets.ts';

const open = {state: 'open', generation: generationOf(3), epoch: 2, degraded: true} as const;
const gateAt = (clock: {now: number}): {gate: Gate; reader: GateReader} => {
	const now = (): number => clock.now;
	const gate = new Gate(createGateBuffer(), now);
	return {gate, reader: new GateReader(gate.buffer, now)};
};

test('it starts closed and refuses', t => {
	const reader = new GateReader(createGateBuffer());
	t.is(reader.state, 'refusing');
	t.is(reader.enter(1000), 0);
	t.is(reader.inFlight, 0);
});

test('open: admits with its generation and counts who is inside', t => {
	const {gate, reader} = gateAt({now: 0});
	t.true(gate.set(open));
	t.false(gate.set(open));
	t.deepEqual(reader.view(), open);
	t.is(reader.enter(0), 3);
	t.is(gate.inFlight, 1);
	reader.leave();
	t.is(gate.inFlight, 0);
});

test('the lease: an open gate that nobody renews closes by itself', t => {
	const clock = {now: 2 ** 31 - 100};
	const {gate, reader} = gateAt(clock);
	gate.set(open);
	clock.now += GATE_LEASE_MS - 1;
	t.is(reader.state, 'open');
	gate.renew();
	clock.now += GATE_LEASE_MS - 1;
	t.is(reader.state, 'open');
	clock.now += 1;
	t.is(reader.state, 'refusing');
	t.is(reader.enter(0), 0);
});

test('switching: a mutation waits for its time, then is refused', t => {
	const gate = new Gate();
	const start = performance.now();
	gate.set({...open, state: 'switching'});
	t.is(gate.enter(60), 0);
	t.true(performance.now() - start >= 50);
	t.is(gate.inFlight, 0);
});

test('switching: waits count from when it began, so that they do not add up', t => {
	const clock = {now: 1000};
	const {gate, reader} = gateAt(clock);
	gate.set({...open, state: 'switching'});
	clock.now += 61;
	// Said again, it is still the same switch; a wait of its own would never end on this standing clock.
	gate.set({...open, state: 'switching', degraded: false});
	t.is(reader.enter(60), 0);
});

test('switching: a mutation that waits goes on when the gate opens, in the new generation', async t => {
	const gate = new Gate();
	gate.set({...open, state: 'switching'});
	const code = `
		import {parentPort, workerData} from 'node:worker_threads';
		const {GateReader} = await import(workerData.module);
		const reader = new GateReader(workerData.buffer);
		parentPort.postMessage('waiting');
		parentPort.postMessage(reader.enter(30_000));
	`;
	const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
		workerData: {
			buffer: gate.buffer,
			module: new URL('../../../src/membership/gate.js', import.meta.url).href,
		},
	});
	const next = async (): Promise<unknown> =>
		new Promise((resolve, reject) => {
			worker.once('message', resolve);
			worker.once('error', reject);
		});
	t.is(await next(), 'waiting');
	gate.set({...open, generation: generationOf(4)});
	t.is(await next(), 4);
	t.is(gate.inFlight, 1);
	await worker.terminate();
});
