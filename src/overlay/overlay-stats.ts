/** What the overlay counts. */
import {type SessionStats} from '../fuse/session.ts';

export interface OverlayStats extends SessionStats {
	/** 0: no backing. */
	readonly generation: number;
	/** Files that the kernel knows. */
	readonly nodes: number;
	readonly names: number;
	/** Open handles, locks included. */
	readonly handles: number;
	/** How often a generation became current. */
	readonly switches: number;
}
