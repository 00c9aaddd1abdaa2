/** Datagrams to a Unix socket, which Node lacks: it speaks streams only. */
import {bind, checked, cstring, type CString} from './libc.ts';
import {ERRNO} from './errno.ts';

const sysSocket = bind<(domain: number, type: number, protocol: number) => number>(
	'int socket(int domain, int type, int protocol)',
);
const sysSendto = bind<
	(fd: number, data: CString, size: number, flags: number, to: Buffer, toSize: number) => number
>(
	'long sendto(int fd, const void *data, unsigned long size, int flags, const void *to, unsigned int toSize)',
);
const sysClose = bind<(fd: number) => number>('int close(int fd)');

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct sockaddr_un: family u16 @0, path @2, 108 bytes with its NUL. */
const PATH_OFFSET = 2;
const MAX_PATH_BYTES = 107;

/** A path, or `@name` for a name of the abstract namespace (whose first byte is NUL). Undefined: it does not fit. */
const addressOf = (socket: string): Buffer | undefined => {
	const name = Buffer.from(socket);
	if (name.length === 0 || name.length > MAX_PATH_BYTES) return undefined;
	const abstract = socket.startsWith('@');
	// A path ends with a NUL; of an abstract name every byte counts, so there is none behind it.
	const address = Buffer.alloc(PATH_OFFSET + name.length + (abstract ? 0 : 1));
	address.writeUInt16LE(AF_UNIX, 0);
	name.copy(address, PATH_OFFSET);
	if (abstract) address[PATH_OFFSET] = 0;
	return address;
};

/**
 * Sends one datagram without waiting.
 * @param socket path of a Unix datagram socket, or `@name`
 * @returns the number of bytes, or a negative errno (EAGAIN: the receiver is slow, ECONNREFUSED or ENOENT: there is none)
 */
export const sendDatagram = (socket: string, text: string): number => {
	const address = addressOf(socket);
	if (address === undefined) return -ERRNO.EINVAL;
	const fd = checked(sysSocket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0) return fd;
	const data = cstring(text);
	const sent = checked(
		sysSendto(fd, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length),
	);
	sysClose(fd);
	return sent;
};
