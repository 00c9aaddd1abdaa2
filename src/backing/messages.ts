/** What a Backing and its thread say to each other. */
import {type AllCalls} from './record-calls.ts';

export interface WorkerData {
	readonly root: string;
	readonly device: bigint | undefined;
}

export type ToWorker =
	| {readonly kind: 'call'; readonly id: number; readonly name: keyof AllCalls; readonly args: unknown[]}
	| {readonly kind: 'close'};

/** `errno` is the name of a system error (`ENOTCONN`), undefined for a fault in the program. */
export type FromWorker =
	| {readonly kind: 'done'; readonly id: number; readonly value: unknown}
	| {
			readonly kind: 'failed';
			readonly id: number;
			readonly errno: string | undefined;
			readonly message: string;
	  };
