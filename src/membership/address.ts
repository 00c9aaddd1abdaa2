/** Host addresses as they may come from foreign text: names and IP addresses, nothing that could mean more than that. */
import {isIPv4, isIPv6} from 'node:net';

/** RFC 1035 limit; labels of 1 to 63 letters, digits, hyphens and (as glusterd allows) underscores. */
const MAX_NAME_LENGTH = 253;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const ONLY_DIGITS_AND_DOTS = /^[0-9.]+$/;

/** Whether the text is a host name, an IPv4 or an IPv6 address (without brackets, without zone). */
export const isAddress = (text: string): boolean => {
	if (isIPv4(text)) return true;
	if (isIPv6(text)) return !text.includes('%');
	if (text.length === 0 || text.length > MAX_NAME_LENGTH || ONLY_DIGITS_AND_DOTS.test(text)) return false;
	return text.split('.').every(label => LABEL.test(label));
};

export const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65_535;

/** `host:port` as it stands in a URL: IPv6 addresses get brackets. */
export const hostPort = (address: string, port: number): string =>
	isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
