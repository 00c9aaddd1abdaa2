/** What each exit code means, in words: the one source of the help texts and of the manual pages. */
import {EXIT} from '../errors.ts';

/** A code and its meaning, in the order of the codes. `hekafsd` and `hfs_config` share them. */
export const EXIT_TEXTS: ReadonlyArray<readonly [code: number, meaning: string]> = Object.entries({
	ok: 'done; healthy',
	failure: 'failed, no code of its own',
	usage: 'wrong arguments',
	degraded: 'degraded: writes are admitted, redundancy is not complete; doctor: warnings',
	refusing: 'writes are refused; doctor: problems',
	down: 'hekafsd is not running on this node',
	refused: 'understood and refused in order to protect data',
	environment: 'the machine lacks something: root, a program, /dev/fuse, a free port, space',
	alreadyRunning: 'another hekafsd runs with this --run directory',
	timeout: 'a deadline passed',
	badState: "a file of ours can't be read or holds something that it must not",
} satisfies Record<keyof typeof EXIT, string>).map(([name, meaning]) => [
	EXIT[name as keyof typeof EXIT],
	meaning,
]);
