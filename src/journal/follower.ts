/** Reads the journals of all nodes as they grow, each entry once. */
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {readFrames, FRAME_MAX_BYTES} from './frames.ts';
import {type JournalFiles} from './ports.ts';
import {decodeEntry, type Entry} from './record.ts';
import {JOURNAL_DIRECTORY, journalOf, segmentsAmong} from './segments.ts';

/** Larger than any frame, so that each read gets on. */
const CHUNK_BYTES = 4 * FRAME_MAX_BYTES;
/** New files and new nodes are looked for once in so many turns; what is appended is read in each. */
const LIST_EVERY_TURNS = 2;

interface Position {
	/** Names that are not read to their end, oldest first. */
	names: readonly string[];
	offset: number;
	/** The last name that was read to its end, or begun. */
	last: string;
}

export interface FollowerOptions {
	/** Undefined while nothing can be read. */
	readonly files: () => JournalFiles | undefined;
	/** Nodes whose journals are not read again once they were read to their end: this node's own. */
	readonly onlyOnce: (node: NodeUuid) => boolean;
	readonly onEntries: (node: NodeUuid, entries: readonly Entry[]) => void;
}

/** Reads one file from an offset on. @returns entries, and where to go on */
const readSegment = async (
	files: JournalFiles,
	path: string,
	from: number,
	give: (entries: readonly Entry[]) => void,
): Promise<number> => {
	for (let offset = from; ;) {
		const bytes = await files.readAt(path, offset, CHUNK_BYTES);
		if (bytes === null || bytes.length === 0) return offset;
		const {payloads, used} = readFrames(bytes);
		if (used === 0) return offset;
		give(payloads.map(decodeEntry));
		offset += used;
	}
};

export class JournalFollower {
	readonly #o: FollowerOptions;
	readonly #positions = new Map<NodeUuid, Position>();
	readonly #done = new Set<NodeUuid>();
	#turns = 0;

	constructor(options: FollowerOptions) {
		this.#o = options;
	}

	/** Reads what is new. Rejects when the filesystem does; what was read before is not read again then. */
	async turn(): Promise<void> {
		const files = this.#o.files();
		if (files === undefined) return;
		if (this.#turns++ % LIST_EVERY_TURNS === 0) await this.#list(files);
		for (const [node, position] of this.#positions) {
			await this.#read(files, node, position);
			if (this.#o.onlyOnce(node)) this.#done.add(node);
		}
		for (const node of this.#done) this.#positions.delete(node);
	}

	async #list(files: JournalFiles): Promise<void> {
		for (const name of (await files.list(JOURNAL_DIRECTORY)) ?? []) {
			const node = parseNodeUuid(name);
			if (node === undefined || this.#done.has(node)) continue;
			const position = this.#positions.get(node) ?? {names: [], offset: 0, last: ''};
			this.#positions.set(node, position);
			const names = segmentsAmong((await files.list(journalOf(node))) ?? []);
			position.names = [...position.names, ...names.filter(each => each > position.last)];
			position.last = names.at(-1) ?? position.last;
		}
	}

	async #read(files: JournalFiles, node: NodeUuid, position: Position): Promise<void> {
		for (;;) {
			const [name, next] = position.names;
			if (name === undefined) return;
			position.offset = await readSegment(files, `${journalOf(node)}/${name}`, position.offset, entries =>
				this.#o.onEntries(node, entries),
			);
			// A file is only written to while it is the last one; what does not fit into frames is its torn tail.
			if (next === undefined) return;
			position.names = position.names.slice(1);
			position.offset = 0;
		}
	}
}
