/** A Backing as the journal wants it: a thread of its own for each mount, every call with its deadline. */
import {type Backing, openBacking} from '../backing/backing.ts';
import {type GenerationMount} from '../heal/ports.ts';
import {type JournalFiles} from '../journal/ports.ts';

/** Nobody waits for the journal, but a thread that hangs must be known to. */
const TIMEOUT_MS = 10_000;

const filesOf = (backing: Backing): JournalFiles => {
	const limit = {timeoutMs: TIMEOUT_MS};
	return {
		list: async path => backing.call('list', [path], limit),
		mkdir: async (path, mode) => backing.call('mkdir', [path, mode], limit),
		append: async (path, data, mode) => backing.call('append', [path, data, mode], limit),
		readAt: async (path, offset, maxBytes) => {
			const bytes = await backing.call('readAt', [path, offset, maxBytes], limit);
			return bytes === null ? null : Buffer.from(bytes);
		},
		read: async (path, maxBytes) => {
			const bytes = await backing.call('read', [path, maxBytes], limit);
			return bytes === null ? null : Buffer.from(bytes);
		},
		keep: async (path, directory, maxBytes) => backing.call('keep', [path, directory, maxBytes], limit),
		replace: async (path, data, mode) => backing.call('writeAtomic', [path, data, mode], limit),
		remove: async path => {
			await backing.call('remove', [path], limit);
		},
		states: async paths => backing.call('states', [paths], limit),
	};
};

/** Follows the mount in use. */
export class MountFiles {
	#mount: GenerationMount | undefined;
	#backing: Backing | undefined;
	#files: JournalFiles | undefined;

	/** @param mount undefined: nothing is mounted */
	of(mount: GenerationMount | undefined): JournalFiles | undefined {
		if (mount === this.#mount) return this.#files;
		void this.end();
		this.#mount = mount;
		if (mount === undefined) return undefined;
		const {path: root, connection} = mount;
		this.#backing = openBacking(connection === undefined ? {root} : {root, connection});
		this.#files = filesOf(this.#backing);
		return this.#files;
	}

	async end(): Promise<void> {
		const backing = this.#backing;
		this.#mount = undefined;
		this.#backing = undefined;
		this.#files = undefined;
		await backing?.[Symbol.asyncDispose]();
	}
}
