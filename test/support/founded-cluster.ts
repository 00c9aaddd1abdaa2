/** What founding and joins leave on the disks of machines, without going through them again in each test. */
import {type Epoch} from '../../src/membership/ids.ts';
import {formatMarker, formatSetRecord} from '../../src/membership/marker.ts';
import {formatNodeState} from '../../src/membership/node-state.ts';
import {type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {BrickDisk} from './memory-bricks.ts';
import {markerOf, recordOf} from './sets.ts';
import {type Machine} from './simulated-machine.ts';

export const SECRET = '5'.repeat(64);

/** Puts the bricks of a set, equal and healed, and the state files of all nodes in place. */
export const layOut = (machines: readonly Machine[], set: ServerSet): void => {
	for (const machine of machines) {
		const serves = set.servers.some(server => server.uuid === machine.uuid);
		const directory = `/bricks/conf-${setIdOf(set)}`;
		machine.secret = SECRET;
		machine.stateFile = formatNodeState({
			format: 2,
			filesystemId: set.filesystemId,
			set,
			closed: 0,
			pending: null,
			brick: serves ? {directory, port: 24_100, setId: setIdOf(set)} : null,
			founding: false,
			retired: null,
		});
		if (!serves) continue;
		const disk = new BrickDisk();
		disk.put('.hekafs', {kind: 'dir'});
		disk.put('.hekafs/secret', {kind: 'file', data: `${SECRET}\n`});
		disk.put('.hekafs/set', {kind: 'file', data: formatSetRecord(recordOf(set))});
		disk.put('.hekafs/markers', {kind: 'dir'});
		for (const {number, uuid} of machines) {
			if (set.servers.some(server => server.uuid === uuid))
				disk.put(`.hekafs/markers/${uuid}`, {
					kind: 'file',
					data: formatMarker(markerOf(number, {since: set.epoch, filesystemId: set.filesystemId})),
				});
		}
		machine.directories.set(directory, disk);
	}
};

export const EPOCH = 5 as Epoch;
