/** What the main thread and the FUSE worker threads say to each other. */
import {type CacheTimes} from './context.ts';
import {type ControlWord} from './sentinels.ts';
import {type SharedState} from './shared-state.ts';

/** What overlay.ts gives to each worker. */
export interface OverlayWorkerData {
	readonly state: SharedState;
	readonly times: CacheTimes;
	readonly writeWaitMs: number;
	/** Whether somebody takes records out of the ring. */
	readonly journal: boolean;
	readonly copyDirectory: string | undefined;
}

/** What a worker tells the main thread. */
export interface ControlMessage {
	readonly kind: 'control';
	readonly word: ControlWord;
}
