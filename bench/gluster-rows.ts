/** The rows over GlusterFS with three servers on this machine: bare mounts, and hekafsd over one of its own. */
import {mkdir, mkdtemp, realpath, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startBrick} from '../src/gluster/brick.ts';
import {prepareBrick} from '../src/gluster/brick-directory.ts';
import {cleanStale} from '../src/gluster/clean-stale.ts';
import {type ClientMount, mountGeneration} from '../src/gluster/client-mount.ts';
import {type Epoch, type FilesystemId, type NodeUuid} from '../src/membership/ids.ts';
import {makeServerSet, type Server, type ServerSet} from '../src/membership/server-set.ts';
import {brickVolfile} from '../src/volfile/brick.ts';
import {clientVolfile} from '../src/volfile/client.ts';
import {hasProgram} from '../native-tests/support/installed.ts';
import {hekafsd, plainDirectory} from './local-rows.ts';
import {Rows} from './row.ts';
import {addTranslators, GLUSTER_CACHES} from './volfile-variants.ts';

const SERVERS = 3;
/** No default port of GlusterFS or of HekaFS, and not those of the native tests. */
const FIRST_PORT = 34_300;
const FILESYSTEM_ID = 'f0000000-0000-4000-8000-00000000be4c' as FilesystemId;

const serverOf = (n: number): Server => ({
	uuid: `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000` as NodeUuid,
	address: '127.0.0.1',
	port: FIRST_PORT + n,
});

/** Three bricks on loopback, in a directory of their own. */
export class BenchServers implements AsyncDisposable {
	readonly directory: string;
	readonly #mounts: ClientMount[] = [];

	private constructor(directory: string) {
		this.directory = directory;
	}

	static get set(): ServerSet {
		const servers = Array.from({length: SERVERS}, (_, i) => serverOf(i + 1));
		return makeServerSet(FILESYSTEM_ID, 1 as Epoch, servers);
	}

	/**
	 * @param parent where the bricks are made
	 * @param change what to do to each brick's volfile
	 */
	static async start(parent = tmpdir(), change = (text: string): string => text): Promise<BenchServers> {
		if (!hasProgram('glusterfsd')) throw new Error('GlusterFS is missing: apt-get install glusterfs-server');
		const made = new BenchServers(await realpath(await mkdtemp(join(parent, 'hekafs-bench-bricks-'))));
		try {
			const {set} = BenchServers;
			for (const server of set.servers) {
				const brickDirectory = join(made.directory, `brick-${server.port}`);
				await prepareBrick(brickDirectory, FILESYSTEM_ID);
				const {port} = server;
				const allowAddresses = ['127.0.0.1'];
				const options = {set, self: server.uuid, brickDirectory, port, allowAddresses};
				await startBrick({
					volfile: change(brickVolfile({...options, bindAddress: '127.0.0.1'})),
					directory: brickDirectory,
					port,
					runDirectory: join(made.directory, `run-${port}`),
					logFile: join(made.directory, `brick-${port}.log`),
				});
			}
			return made;
		} catch (error) {
			await made[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** @param change what to do to the client's volfile */
	async mount(name: string, change = (text: string): string => text): Promise<ClientMount> {
		const mount = await mountGeneration({
			volfile: change(clientVolfile({set: BenchServers.set})),
			directory: join(this.directory, 'run', 'gen', name),
			runDirectory: join(this.directory, 'run'),
			name,
			logFile: join(this.directory, `${name}.log`),
		});
		this.#mounts.push(mount);
		return mount;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const mount of this.#mounts) await mount.unmount();
		await cleanStale(this.directory, {termMs: 0});
		await rm(this.directory, {recursive: true, force: true});
	}
}

/** Starts the rows over GlusterFS. @throws Error naming what the machine lacks */
export const startGlusterRows = async (): Promise<Rows> => {
	const rows = new Rows();
	try {
		const servers = await BenchServers.start();
		rows.standOn(servers);
		const own = async (mount: ClientMount, name: string): Promise<string> => {
			const directory = join(mount.directory, name);
			await mkdir(directory);
			return directory;
		};
		const a = await servers.mount('a');
		rows.add(plainDirectory('GlusterFS A', await own(a, 'a'), [a.pid]));
		const b = await servers.mount('b', text => addTranslators(text, GLUSTER_CACHES));
		rows.add(plainDirectory('GlusterFS B', await own(b, 'b'), [b.pid]));
		const below = await servers.mount('overlay');
		rows.add(await hekafsd('overlay', await own(below, 'overlay'), 1, [below.pid]));
		return rows;
	} catch (error) {
		await rows[Symbol.asyncDispose]();
		throw error;
	}
};
