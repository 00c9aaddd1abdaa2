/** Reads `/proc`: which processes run in a pid namespace, and under which number each is known inside and outside. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';

export interface MachineProcess {
	/** Number in the pid namespace of the process itself. */
	readonly pid: number;
	/** Number on the machine, which is the one that `process.kill` takes. */
	readonly outsidePid: number;
	/** State letter of proc(5): R running, S sleeping, D blocked, T stopped, Z zombie. */
	readonly state: string;
	readonly argv: readonly string[];
}

const readOrNull = <T>(read: () => T): T | null => {
	try {
		return read();
	} catch {
		return null; // The process ended while we looked.
	}
};

const numericNames = (directory: string): number[] =>
	(readOrNull(() => readdirSync(directory)) ?? []).filter(name => /^\d+$/.test(name)).map(Number);

/** The identity of the pid namespace of a process, like `pid:[4026532278]`; null when the process is gone. */
export const pidNamespaceOf = (outsidePid: number): string | null =>
	readOrNull(() => readlinkSync(`/proc/${outsidePid}/ns/pid`));

/** One process, or null when it is gone. */
export const processOf = (outsidePid: number): MachineProcess | null =>
	readOrNull(() => {
		const status = readFileSync(`/proc/${outsidePid}/status`, 'utf8');
		// NSpid lists the numbers from the outermost namespace to the innermost one (proc(5), since Linux 4.1).
		const inside = /^NSpid:.*?(\d+)$/m.exec(status)?.[1];
		const commandLine = readFileSync(`/proc/${outsidePid}/cmdline`, 'utf8');
		return {
			pid: Number(inside ?? outsidePid),
			outsidePid,
			state: /^State:\s+(\S)/m.exec(status)?.[1] ?? '?',
			argv: commandLine.replace(/\0$/, '').split('\0'),
		};
	});

/** Every process of the pid namespace; zombies are included, their `argv` is empty text. */
export const processesIn = (pidNamespace: string): MachineProcess[] =>
	numericNames('/proc')
		.filter(pid => pidNamespaceOf(pid) === pidNamespace)
		.map(processOf)
		.filter(found => found !== null);

/** Numbers of the children of a process, as seen on the machine. */
export const childrenOf = (outsidePid: number): number[] =>
	numericNames('/proc').filter(pid => {
		// The parent is the second field after the program's name, which stands in parentheses (proc(5), stat).
		const stat = readOrNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
		return stat !== null && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === outsidePid;
	});
