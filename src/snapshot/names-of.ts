/** Lists a directory that is open. */
import {DIRENT64, getdents64} from '../posix/dents.ts';
import {errnoName} from '../posix/errno.ts';
import {ScanEnd} from './scan-end.ts';

const LIST_BYTES = 65536;

/** @returns names, as bytes in latin1, without `.` and `..`. @throws ScanEnd */
export const namesOf = (fd: number): string[] => {
	const names: string[] = [];
	const buffer = Buffer.alloc(LIST_BYTES);
	for (;;) {
		const size = getdents64(fd, buffer);
		if (size < 0) throw new ScanEnd('lost', `listing: ${errnoName(size)}`);
		if (size === 0) return names;
		for (let at = 0; at < size; at += buffer.readUInt16LE(at + DIRENT64.recordLength)) {
			const start = at + DIRENT64.name;
			const name = buffer.toString('latin1', start, buffer.indexOf(0, start));
			if (name !== '.' && name !== '..') names.push(name);
		}
	}
};
