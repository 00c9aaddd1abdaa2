/** Parsers of single values on the command line; each refuses with a sentence on what is allowed. */
import {isIP} from 'node:net';
import {resolve} from 'node:path';
import {InvalidArgumentError} from 'commander';

export type BackendConfig = {readonly kind: 'gluster'} | {readonly kind: 'local'; readonly directory: string};

export interface ListenAddress {
	/** An IP address (IPv6 without brackets) or a name. */
	readonly host: string;
	readonly port: number;
}

/** PATH_MAX is 4096 with the NUL; file names of ours must fit behind. */
const MAX_PATH_BYTES = 3800;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

export const parsePath = (value: string): string => {
	if (value === '') throw new InvalidArgumentError('A directory is expected, not an empty text.');
	if (/\p{Cc}/u.test(value)) throw new InvalidArgumentError('Control characters are not allowed in a path.');
	const path = resolve(value);
	if (Buffer.byteLength(path) > MAX_PATH_BYTES)
		throw new InvalidArgumentError(`A path has at most ${MAX_PATH_BYTES} bytes.`);
	return path;
};

export const parseBackend = (value: string): BackendConfig => {
	if (value === 'gluster') return {kind: 'gluster'};
	if (value.startsWith('local:') && value.length > 'local:'.length)
		return {kind: 'local', directory: parsePath(value.slice('local:'.length))};
	throw new InvalidArgumentError('Allowed are gluster and local:DIR.');
};

/** One of a few words. */
export const parseWord =
	<W extends string>(words: readonly W[]) =>
	(value: string): W => {
		const word = words.find(each => each === value);
		if (word === undefined) throw new InvalidArgumentError(`Allowed are ${words.join(', ')}.`);
		return word;
	};

const portOf = (text: string, lowest: number): number => {
	const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
	if (port < lowest || port > 65_535)
		throw new InvalidArgumentError(`A port is a number from ${lowest} to 65535.`);
	return port;
};

export const parsePort = (value: string): number => portOf(value, 1);

const isHost = (text: string): boolean => isIP(text) !== 0 || NAME.test(text);

/** ADDR:PORT, [IPV6]:PORT, :PORT for all addresses; port 0 for any free one. */
export const parseListen = (value: string): ListenAddress => {
	const match = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]*)$/.exec(value);
	if (match === null)
		throw new InvalidArgumentError('ADDR:PORT is expected, for example 0.0.0.0:8080 or [::1]:8080.');
	const [, bracketed, plain = '', port = ''] = match;
	if (bracketed !== undefined && isIP(bracketed) !== 6)
		throw new InvalidArgumentError('An IPv6 address is expected between the brackets.');
	const host = bracketed ?? (plain === '' ? '0.0.0.0' : plain);
	if (!isHost(host))
		throw new InvalidArgumentError('An IP address or a host name is expected before the port.');
	return {host, port: portOf(port, 0)};
};

/** A name or address for other nodes: it will stand in volfiles. */
export const parseAddress = (value: string): string => {
	if (!isHost(value)) throw new InvalidArgumentError('An IP address or a host name is expected.');
	if (['0.0.0.0', '::'].includes(value))
		throw new InvalidArgumentError('Other nodes can not reach this one by it; give its own name or address.');
	return value;
};

const decimal = (value: string): number =>
	/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(value) ? Number(value) : Number.NaN;

export const parseSeconds =
	(lowest: number, highest: number) =>
	(value: string): number => {
		const seconds = decimal(value);
		if (!(seconds >= lowest && seconds <= highest))
			throw new InvalidArgumentError(`Seconds from ${lowest} to ${highest} are allowed.`);
		return seconds;
	};

export const parseCount =
	(lowest: number, highest: number) =>
	(value: string): number => {
		const count = decimal(value);
		if (!Number.isInteger(count) || count < lowest || count > highest)
			throw new InvalidArgumentError(`A whole number from ${lowest} to ${highest} is allowed.`);
		return count;
	};
