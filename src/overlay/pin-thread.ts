/** A thread that opens one path and ends; the descriptor stays. For paths on the overlay itself, which no other thread touches. */
import {parentPort, workerData} from 'node:worker_threads';
import {openat} from '../posix/files.ts';
import {AT_FDCWD, cstring} from '../posix/libc.ts';
import {O} from '../posix/open-flags.ts';

parentPort?.postMessage(openat(AT_FDCWD, cstring(workerData as string), O.PATH | O.CLOEXEC));
