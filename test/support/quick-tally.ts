/** What happened in random schedules, counted: a run that tries little would prove little. */
export interface Tally {
	schedules: number;
	/** Schedules by their number of nodes. */
	nodes3: number;
	nodes4: number;
	nodes5: number;
	events: number;
	/** Acknowledged. */
	writes: number;
	/** Changes that operators asked for; those of them that were recorded. */
	asked: number;
	joined: number;
	retired: number;
	/** Servers that were retired while they were off; on the operator's word only. */
	retiredDead: number;
	forced: number;
	/** Changes that were cut off, and ended by others: completed, undone. */
	completed: number;
	undone: number;
	crashes: number;
	powerOffs: number;
	bricksKilled: number;
	/** Links cut; whole sides cut off from each other. */
	cuts: number;
	partitions: number;
	/** Messages that overtook others, were lost, came twice. */
	late: number;
	lost: number;
	twice: number;
	/** Files that AFR left to the operator. */
	splitBrains: number;
	/** Starts of nodes that were away. */
	returns: number;
	/** Servers that join again. */
	rejoined: number;
}

export const newTally = (): Tally => ({
	schedules: 0,
	nodes3: 0,
	nodes4: 0,
	nodes5: 0,
	events: 0,
	writes: 0,
	asked: 0,
	joined: 0,
	retired: 0,
	retiredDead: 0,
	forced: 0,
	completed: 0,
	undone: 0,
	crashes: 0,
	powerOffs: 0,
	bricksKilled: 0,
	cuts: 0,
	partitions: 0,
	late: 0,
	lost: 0,
	twice: 0,
	splitBrains: 0,
	returns: 0,
	rejoined: 0,
});

export const addTally = (sum: Tally, other: Tally): void => {
	for (const key of Object.keys(other) as (keyof Tally)[]) sum[key] += other[key];
};
