/** Mounts the in-memory filesystem for the length of a test, and looks at what it leaves. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import type {RunningChild} from './child.ts';
import {CELL, createMemoryState} from './memory-state.ts';
import {mountSession, type Session, type SessionOptions} from '../../src/fuse/session.ts';

export const isMounted = (mountpoint: string): boolean =>
	fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);

export const exitCodes = (children: readonly RunningChild[]): Promise<readonly (number | null)[]> =>
	Promise.all(children.map(async c => (await c.result).code));

export const MEMORY_FILESYSTEM = new URL('./memory-filesystem.js', import.meta.url);

export interface Fixture {
	readonly mountpoint: string;
	readonly session: Session;
	readonly cells: Int32Array;
	readonly problems: string[];
	readonly release: () => void;
}

/** Unmounts after `body`, also when it fails. */
export const withMount = async (
	t: ExecutionContext,
	options: Partial<SessionOptions>,
	body: (f: Fixture) => Promise<void>,
): Promise<void> => {
	const mountpoint = fs.mkdtempSync(path.join(os.tmpdir(), 'hekafs-fuse-'));
	const state = createMemoryState();
	const cells = new Int32Array(state.cells);
	const problems: string[] = [];
	const release = (): void => {
		Atomics.store(cells, CELL.hanging, 0);
		Atomics.notify(cells, CELL.hanging);
	};
	const session = await mountSession({
		mountpoint,
		fsname: 'memory',
		subtype: 'test',
		workerModule: MEMORY_FILESYSTEM,
		workerData: state,
		onProblem: problem => problems.push(problem),
		...options,
	});
	try {
		await body({mountpoint, session, cells, problems, release});
	} finally {
		release();
		await session.unmount();
		t.false(isMounted(mountpoint));
		fs.rmdirSync(mountpoint);
	}
};
