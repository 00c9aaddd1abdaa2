/** How a look at the backing filesystem may end early, and what it is told beforehand. */

/** Why a look ended early. `lost`: the mount gives nothing any more. `too large`: more content than may be kept. */
export class ScanEnd extends Error {
	readonly why: 'lost' | 'too large' | 'stopped';

	constructor(why: ScanEnd['why'], detail: string) {
		super(detail);
		this.why = why;
	}
}

export interface ScanOptions {
	readonly root: string;
	readonly limitBytes: number;
	/** Adds bytes to the copy. @returns where they are */
	readonly append: (bytes: Buffer) => number;
	/** Whether to go on. */
	readonly live: () => boolean;
}
