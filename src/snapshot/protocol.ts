/** What the main thread and the thread that follows one generation say to each other. */
export interface FollowerData {
	readonly follower: number;
	/** Where copies are kept. */
	readonly directory: string;
	/** Undefined: only find out what there is. */
	readonly root: string | undefined;
	readonly filesystem: string;
	readonly limitBytes: number;
	readonly ring: SharedArrayBuffer;
	readonly turn: SharedArrayBuffer;
}

/** The newest copy. */
export interface CopyFacts {
	readonly serial: number;
	readonly filesystem: string;
	readonly checkedMs: number;
	readonly updatedMs: number;
	readonly quiet: boolean;
	readonly files: number;
	readonly bytes: number;
}

export interface FollowerReport {
	readonly follower: number;
	/** Undefined: there is none. */
	readonly copy: CopyFacts | undefined;
	/** Why it is not renewed, in words. */
	readonly problem: string | undefined;
	/** Files that the last look could not read. */
	readonly unreadable: number;
	/** Duration of the last look at everything, in ms. */
	readonly lookMs: number;
	/** Place in the ring up to which everything is in the copy; undefined: not known yet. */
	readonly taken: number | undefined;
}
