/** Changes to the text of a volfile, for measuring what a translator or an option is worth. */

/** A translator to be put right below the topmost one (`debug/io-stats`). */
export type Added = readonly [name: string, type: string, options?: Readonly<Record<string, string>>];

/**
 * Adds translators to a client volfile of `src/volfile/client.ts`.
 * @param added lowest first
 */
export const addTranslators = (volfile: string, added: readonly Added[]): string => {
	const at = volfile.lastIndexOf('volume top\n');
	const below = /subvolumes (\S+)\nend-volume\s*$/.exec(volfile)?.[1];
	if (at < 0 || below === undefined) throw new Error('no volume "top" at the end of the volfile');
	let under = below;
	const texts = added.map(([name, type, options = {}]) => {
		const lines = Object.entries(options).map(([key, value]) => `    option ${key} ${value}\n`);
		const text = `volume ${name}\n    type ${type}\n${lines.join('')}    subvolumes ${under}\nend-volume\n\n`;
		under = name;
		return text;
	});
	return (
		volfile.slice(0, at) +
		texts.join('') +
		volfile.slice(at).replace(`subvolumes ${below}`, `subvolumes ${under}`)
	);
};

/** Adds options to every translator of a type. */
export const addOptions = (
	volfile: string,
	type: string,
	options: Readonly<Record<string, string>>,
): string => {
	const lines = Object.entries(options).map(([key, value]) => `    option ${key} ${value}\n`);
	return volfile.replaceAll(`    type ${type}\n`, `    type ${type}\n${lines.join('')}`);
};

/** GlusterFS' own client-side caches, as a glusterd would put them together. */
export const GLUSTER_CACHES: readonly Added[] = [
	['write-behind', 'performance/write-behind'],
	['open-behind', 'performance/open-behind'],
	['quick-read', 'performance/quick-read'],
	['md-cache', 'performance/md-cache'],
];
