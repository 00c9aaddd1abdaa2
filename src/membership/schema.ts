/** Schemas of the model's values, shared by the formats that carry them: strict on types and sizes, blind to extra keys. */
import {z} from 'zod';
import {isAddress} from './address.ts';
import {type Epoch, type FilesystemId, isUuid, type NodeUuid, parseEpoch, type SetId} from './ids.ts';
import {makeServerSet, type Server, type ServerSet} from './server-set.ts';

/** More servers than this are not a set that anyone has made on purpose. */
export const MAX_SERVERS = 16;
/** Longest absolute path that a state file may name. */
const MAX_PATH_LENGTH = 4096;

const uuid = z.string().refine(isUuid, 'not a UUID in lower case');

export const nodeUuidSchema: z.ZodType<NodeUuid> = uuid.transform(text => text as NodeUuid);
export const filesystemIdSchema: z.ZodType<FilesystemId> = uuid.transform(text => text as FilesystemId);
export const epochSchema: z.ZodType<Epoch> = z
	.number()
	.refine(value => parseEpoch(value) !== undefined, 'not an epoch (a whole number from 1)')
	.transform(value => value as Epoch);
export const setIdSchema: z.ZodType<SetId> = z
	.string()
	.regex(/^[0-9a-f]{16}$/, 'not a set id (16 hex digits)')
	.transform(text => text as SetId);
export const addressSchema = z.string().refine(isAddress, 'not a host name or IP address');
export const portSchema = z.number().int().min(1).max(65_535);
/** ISO 8601 in UTC, as `Date.prototype.toISOString` writes it. */
export const timeSchema = z.iso.datetime();
/** What is said of a number that this program does not know, whatever the file. */
export const UNKNOWN_FORMAT = 'unknown format: it was written by another version of HekaFS';
export const formatSchema = z.literal(1, {error: UNKNOWN_FORMAT});
/** Absolute, without NUL and newline. */
export const pathSchema = z
	.string()
	.max(MAX_PATH_LENGTH)
	// eslint-disable-next-line no-control-regex -- NUL can't stand in a path
	.regex(/^\/[^\u0000\n\r]*$/, 'not an absolute path');

const serverSchema: z.ZodType<Server> = z.object({
	uuid: nodeUuidSchema,
	address: addressSchema,
	port: portSchema,
});

/** A number that several nodes count up: JSON keeps it exactly. */
export const counterSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Refuses an empty list and a server that stands twice. */
export const serverSetSchema: z.ZodType<ServerSet> = z
	.object({
		filesystemId: filesystemIdSchema,
		epoch: epochSchema,
		attempt: counterSchema.default(0),
		servers: z
			.array(serverSchema)
			.min(1)
			.max(MAX_SERVERS)
			.refine(list => new Set(list.map(s => s.uuid)).size === list.length, 'a server stands twice'),
	})
	.transform(({filesystemId, epoch, attempt, servers}) =>
		makeServerSet(filesystemId, epoch, servers, attempt),
	);

/** A set with its keys in the order in which our files have them. */
export const plainServerSet = (set: ServerSet): object => ({
	filesystemId: set.filesystemId,
	epoch: set.epoch,
	...(set.attempt === 0 ? {} : {attempt: set.attempt}),
	servers: set.servers.map(({uuid: id, address, port}) => ({uuid: id, address, port})),
});
