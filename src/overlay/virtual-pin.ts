/**
 * Keeps the virtual directory in the kernel's cache. A lookup in the root waits for the root's lock, and a CREATE or MKDIR
 * that hangs in the backing holds it; a name that is cached is found without. An open descriptor keeps it cached. (P5)
 */
import {extname, join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {connectionAt} from '../fuse/device.ts';
import {close} from '../posix/files.ts';
import {VIRTUAL_DIRECTORY_NAME} from './sentinels.ts';

const MODULE = new URL(`pin-thread${extname(import.meta.url)}`, import.meta.url);
/** How often it is checked that nobody took the mount away. */
const WATCH_MS = 1000;

export class VirtualPin {
	#fd: number;
	readonly #timer: NodeJS.Timeout;

	private constructor(fd: number, mountpoint: string, connection: number) {
		this.#fd = fd;
		// Without this, `umount -l` by an operator would leave a session that nobody can reach and that never ends.
		this.#timer = setInterval(() => {
			if (connectionAt(mountpoint) !== connection) this.release();
		}, WATCH_MS).unref();
	}

	/**
	 * @param mountpoint resolved, as mountinfo has it; the session already serves
	 * @param connection the session's
	 */
	static async take(mountpoint: string, connection: number): Promise<VirtualPin> {
		const worker = new Worker(MODULE, {workerData: join(mountpoint, VIRTUAL_DIRECTORY_NAME)});
		const fd = await new Promise<number>((resolve, reject) => {
			worker.once('message', resolve);
			worker.once('error', reject);
		});
		return new VirtualPin(fd, mountpoint, connection);
	}

	/** To be called before the mount is taken away: it is busy until then. */
	release(): void {
		clearInterval(this.#timer);
		if (this.#fd >= 0) close(this.#fd);
		this.#fd = -1;
	}
}
