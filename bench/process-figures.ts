/** Memory of a process, from /proc. */
import {readFileSync} from 'node:fs';

/** Resident memory in MiB (`VmRSS`). @throws Error when the process has ended */
export const rssMib = (pid: number): number => {
	const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
	if (found === null) throw new Error(`process ${pid} has no VmRSS`);
	return Number(found[1]) / 1024;
};
