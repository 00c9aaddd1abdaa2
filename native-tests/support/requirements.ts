/** What a native test needs from the machine; a test that can't run is skipped under a name that says what is missing. */
import {execFileSync} from 'node:child_process';
import {accessSync, constants, readFileSync} from 'node:fs';
import test, {type ImplementationFn} from 'ava';
import {hasProgram} from './installed.ts';

const canOpenFuse = (): boolean => {
	try {
		accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
		return true;
	} catch {
		return false;
	}
};

const hasFilesystem = (name: string): boolean => {
	const listed = (): boolean => readFileSync('/proc/filesystems', 'utf8').split(/\s+/).includes(name);
	if (listed()) return true;
	try {
		execFileSync('modprobe', [name], {stdio: 'ignore', timeout: 10_000});
	} catch {
		return false;
	}
	return listed();
};

const canUnshare = (): boolean => {
	try {
		execFileSync('unshare', ['--net', '--mount', '--pid', '--uts', '--ipc', '--fork', 'true'], {
			stdio: 'ignore',
			timeout: 10_000,
		});
		return true;
	} catch {
		return false;
	}
};

const CHECKS = {
	root: {missing: 'root', check: () => process.getuid?.() === 0},
	fuse: {missing: '/dev/fuse', check: canOpenFuse},
	gluster: {
		missing: 'glusterd, glusterfsd, glusterfs, gluster (package glusterfs-server)',
		check: () => ['glusterd', 'glusterfsd', 'glusterfs', 'gluster'].every(hasProgram),
	},
	attr: {missing: 'getfattr, setfattr (package attr)', check: () => hasProgram('getfattr')},
	namespaces: {missing: 'permission to make namespaces (unshare)', check: canUnshare},
	overlayfs: {missing: 'overlayfs in the kernel', check: () => hasFilesystem('overlay')},
	'systemd-analyze': {
		missing: 'systemd-analyze (package systemd)',
		check: () => hasProgram('systemd-analyze'),
	},
	autofs: {missing: 'autofs in the kernel', check: () => hasFilesystem('autofs')},
	debhelper: {missing: 'dh (package debhelper)', check: () => hasProgram('dh')},
	chromium: {missing: 'chromium', check: () => hasProgram('chromium')},
	lintian: {missing: 'lintian', check: () => hasProgram('lintian')},
	network: {missing: 'ip (package iproute2)', check: () => hasProgram('ip')},
} as const;
export type Requirement = keyof typeof CHECKS;

/** What `Lab.up` needs; add `gluster` for a lab with glusterds. */
export const LAB: readonly Requirement[] = ['root', 'namespaces', 'overlayfs', 'network'];

const known = new Map<Requirement, boolean>();
const holds = (requirement: Requirement): boolean => {
	const value = known.get(requirement) ?? CHECKS[requirement].check();
	known.set(requirement, value);
	return value;
};

/** The names of the missing pieces, for people; empty when the machine has everything. */
export const missingPieces = (requirements: readonly Requirement[]): string[] =>
	requirements.filter(requirement => !holds(requirement)).map(requirement => CHECKS[requirement].missing);

/** A serial ava test that runs when the machine has all of `requirements`, else a skip that names what is missing. */
export const nativeTest = (
	requirements: readonly Requirement[],
	title: string,
	implementation: ImplementationFn<[]>,
): void => {
	const missing = missingPieces(requirements);
	if (missing.length === 0) test.serial(title, implementation);
	else test.serial.skip(`${title} [missing: ${missing.join('; ')}]`, implementation);
};
