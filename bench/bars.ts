/** The project's speed bars, from the samples of a run; pure. */
import {OPERATIONS} from './operations.ts';
import {type Bar, overallRatio, ratio, type Sample} from './summary.ts';

/** Bars of the overlay over a local directory. */
export const localBars = (samples: readonly Sample[]): Bar[] => {
	const time = (seconds: 0 | 1, operation: string): number =>
		ratio(samples, [`overlay, ${seconds} s`, `bindfs, ${seconds} s`], operation, 1, 'p50Us').median;
	const listings = [1, 0].flatMap(seconds =>
		[
			['readdir', 'readdir of 1,000'],
			['readdir-stat', 'readdir of 1,000 with stat'],
		].map(([operation, title]): Bar => ({
			what: `${title}, time-outs ${seconds} s: time against bindfs`,
			wanted: 1.2,
			reached: time(seconds as 0 | 1, operation!),
			atMost: true,
		})),
	);
	return [
		{
			what: 'default time-outs: throughput against bindfs, geometric mean',
			wanted: 1,
			reached: overallRatio(samples, ['overlay, 1 s', 'bindfs, 1 s']),
		},
		{
			what: 'time-outs 0: throughput against bindfs, geometric mean',
			wanted: 0.8,
			reached: overallRatio(samples, ['overlay, 0 s', 'bindfs, 0 s']),
		},
		{
			what: 'time-outs 0: throughput against fuse-native, geometric mean',
			wanted: 4,
			reached: overallRatio(samples, ['overlay, 0 s', 'fuse-native, 0 s']),
		},
		...listings,
	];
};

/** Bars of the overlay over GlusterFS. */
export const glusterBars = (samples: readonly Sample[]): Bar[] => {
	const rate = (operation: string, other: string): number =>
		ratio(samples, ['overlay', other], operation, 1).median;
	const latency = (operation: string): number =>
		ratio(samples, ['overlay', 'GlusterFS A'], operation, 1, 'p50Us').median;
	return [
		...OPERATIONS.filter(o => o.mutates === true).map((o): Bar => ({
			what: `${o.title}: latency against bare A`,
			wanted: 1.15,
			reached: latency(o.name),
			atMost: true,
		})),
		{what: 'open, read, close: rate against bare A', wanted: 10, reached: rate('open-read', 'GlusterFS A')},
		{what: 'open, read, close: rate against bare B', wanted: 2, reached: rate('open-read', 'GlusterFS B')},
		{what: 'readdir of 1,000: rate against bare A', wanted: 10, reached: rate('readdir', 'GlusterFS A')},
		{
			what: 'stat of an absent name: rate against bare A',
			wanted: 10,
			reached: rate('stat-absent', 'GlusterFS A'),
		},
		{what: 'stat: latency against bare A', wanted: 1, reached: latency('stat-cached'), atMost: true},
		{
			what: 'stat, uncached: latency against bare A',
			wanted: 1,
			reached: latency('stat-forced'),
			atMost: true,
		},
	];
};
