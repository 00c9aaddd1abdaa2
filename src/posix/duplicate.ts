/** A second descriptor of the same open file. */
import {bind, checked} from './libc.ts';

const sysDup = bind<(fd: number) => number>('int dup(int fd)');

/** Closing the duplicate makes the filesystem below flush (FUSE sends FLUSH on each close). @returns a descriptor */
export const dup = (fd: number): number => checked(sysDup(fd));
