/** The identifiers of the model, branded so that one can't stand in for another, and their parsers. */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & {readonly [brand]: Name};

/** A node of the cluster: glusterd's UUID, lower case. */
export type NodeUuid = Branded<string, 'NodeUuid'>;
/** One config filesystem, made when it is founded; also the `volume-id` of its bricks. */
export type FilesystemId = Branded<string, 'FilesystemId'>;
/** The number of a server set: 1 when founded, plus one with every change; on the operator's word more (`epochOnWord`). */
export type Epoch = Branded<number, 'Epoch'>;
/** What a brick exports is `conf-<SetId>`: 16 hex digits derived from filesystem, epoch and servers. */
export type SetId = Branded<string, 'SetId'>;
/** One private mount of the backing filesystem on this node; counts up from 1 while hekafsd runs, 0 is none. */
export type Generation = Branded<number, 'Generation'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);
export const parseNodeUuid = (text: string): NodeUuid | undefined =>
	isUuid(text.toLowerCase()) ? (text.toLowerCase() as NodeUuid) : undefined;
export const parseFilesystemId = (text: string): FilesystemId | undefined =>
	isUuid(text.toLowerCase()) ? (text.toLowerCase() as FilesystemId) : undefined;
export const parseEpoch = (value: unknown): Epoch | undefined =>
	typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 ? (value as Epoch) : undefined;
export const nextEpoch = (epoch: Epoch): Epoch => (epoch + 1) as Epoch;
/** Changes that a server can have missed before an operator's word makes it go on alone, and be the newer one nevertheless. */
const WORD_STEP = 100;
/** The epoch of a set that follows on an operator's word: the next multiple of 100 (docs/adr/0039-on-the-operators-word.md). */
export const epochOnWord = (epoch: Epoch): Epoch =>
	((Math.floor(epoch / WORD_STEP) + 1) * WORD_STEP) as Epoch;
export const FIRST_EPOCH = 1 as Epoch;
export const NO_GENERATION = 0 as Generation;
