/**
 * The yardstick from npm: a passthrough of the operations that are measured, on `fuse-native`, written as its README shows.
 * Arguments: backing directory, mount point, seconds that the kernel may cache. Says "mounted" and serves until SIGTERM.
 */
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

type Done = (code: number, value?: unknown) => void;
interface FuseNative {
	mount(done: (error?: Error | null) => void): void;
	unmount(done: (error?: Error | null) => void): void;
}
type FuseNativeClass = new (
	mountpoint: string,
	operations: Readonly<Record<string, unknown>>,
	options: Readonly<Record<string, unknown>>,
) => FuseNative;

const [backing, mountpoint, seconds] = process.argv.slice(2);
if (backing === undefined || mountpoint === undefined || seconds === undefined)
	throw new Error('usage: BACKING MOUNTPOINT SECONDS');
const Fuse = createRequire(import.meta.url)('fuse-native') as FuseNativeClass;

const at = (name: string): string => path.join(backing, name);
const code = (error: NodeJS.ErrnoException | null): number => (error === null ? 0 : (error.errno ?? -5));
const done =
	(callback: Done) =>
	(error: NodeJS.ErrnoException | null, value?: unknown): void =>
		error === null ? callback(0, value) : callback(code(error));

const operations = {
	getattr: (name: string, callback: Done): void => fs.lstat(at(name), done(callback)),
	fgetattr: (_name: string, fd: number, callback: Done): void => fs.fstat(fd, done(callback)),
	readdir: (name: string, callback: Done): void => fs.readdir(at(name), done(callback)),
	open: (name: string, flags: number, callback: Done): void => fs.open(at(name), flags, done(callback)),
	create: (name: string, mode: number, callback: Done): void =>
		fs.open(at(name), fs.constants.O_RDWR | fs.constants.O_CREAT, mode, done(callback)),
	read: (_name: string, fd: number, into: Buffer, length: number, position: number, callback: Done): void =>
		fs.read(fd, into, 0, length, position, (error, count) => callback(error === null ? count : code(error))),
	write: (_name: string, fd: number, data: Buffer, length: number, position: number, callback: Done): void =>
		fs.write(fd, data, 0, length, position, (error, count) => callback(error === null ? count : code(error))),
	truncate: (name: string, size: number, callback: Done): void => fs.truncate(at(name), size, done(callback)),
	ftruncate: (_name: string, fd: number, size: number, callback: Done): void =>
		fs.ftruncate(fd, size, done(callback)),
	release: (_name: string, fd: number, callback: Done): void => fs.close(fd, done(callback)),
	mkdir: (name: string, mode: number, callback: Done): void => fs.mkdir(at(name), mode, done(callback)),
	rmdir: (name: string, callback: Done): void => fs.rmdir(at(name), done(callback)),
	unlink: (name: string, callback: Done): void => fs.unlink(at(name), done(callback)),
	rename: (from: string, to: string, callback: Done): void => fs.rename(at(from), at(to), done(callback)),
};

const fuse = new Fuse(mountpoint, operations, {
	allowOther: true,
	defaultPermissions: true,
	force: true,
	attrTimeout: seconds,
	entryTimeout: seconds,
	acAttrTimeout: seconds,
});
fuse.mount(error => {
	if (error instanceof Error) throw error;
	process.stdout.write('mounted\n');
});
process.on('SIGTERM', () => fuse.unmount(() => process.exit(0)));
