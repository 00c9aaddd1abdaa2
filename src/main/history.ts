/** Answers `hfs_config history`, `show`, `diff`, `restore`: the versions of a file, and one of them with its content. */
import {HekafsError} from '../errors.ts';
import {type ControlContext, type HistoryRequest, type VersionRequest} from '../http/control.ts';
import {type KeptVersion} from '../journal/history.ts';
import {pathText} from '../journal/log-text.ts';
import {type LogSource} from './log.ts';
import {pathFromRoot} from './paths.ts';

/** A shorter beginning of a hash could mean too much. */
const MIN_DIGITS = 4;

const versionsOf = async (
	{journal, mountpoint}: LogSource,
	given: string,
): Promise<readonly [string, readonly KeptVersion[]]> => {
	const path = pathFromRoot(given, mountpoint);
	const versions = await journal.versionsOf(Buffer.from(path));
	if (versions.length > 0) return [path, versions];
	throw new HekafsError('HEKAFS_REFUSED', `there is no history of ${pathText(Buffer.from(path))}`, {
		remedy:
			'Kept are the last versions of files of at most 512 KiB that were changed through the mount point; see who changed what with: hfs_config log',
	});
};

const asJson = (version: KeptVersion): Readonly<Record<string, unknown>> => ({
	version: version.hash,
	time: new Date(version.timeMs).toISOString(),
	counter: version.counter,
	size: version.size,
	mode: version.mode,
	uid: version.uid,
	gid: version.gid,
});

/** A JSON object for each version, oldest first. */
export const tellHistory = async (
	source: LogSource,
	request: HistoryRequest,
	{line}: ControlContext,
): Promise<void> => {
	const [, versions] = await versionsOf(source, request.path);
	for (const version of versions) line(JSON.stringify(asJson(version)));
};

/**
 * The newest version that is meant. Pure.
 * @throws HekafsError HEKAFS_REFUSED when none or several contents are
 */
export const chooseVersion = (versions: readonly KeptVersion[], wanted: string): KeptVersion => {
	const matching = versions.filter(({hash}) => wanted.length >= MIN_DIGITS && hash.startsWith(wanted));
	const chosen = matching.at(-1);
	const remedy = 'List them with: hfs_config history PATH';
	if (chosen === undefined)
		throw new HekafsError('HEKAFS_REFUSED', `no version '${wanted}' is kept`, {remedy});
	if (matching.some(({hash}) => hash !== chosen.hash))
		throw new HekafsError('HEKAFS_REFUSED', `'${wanted}' can mean several versions`, {remedy});
	return chosen;
};

/** One JSON object: the version, its `path` from the root, its `content` in base64. */
export const tellVersion = async (
	source: LogSource,
	request: VersionRequest,
	{line}: ControlContext,
): Promise<void> => {
	const [path, versions] = await versionsOf(source, request.path);
	const version = chooseVersion(versions, request.version.toLowerCase());
	const content = await source.journal.content(version);
	if (content === null)
		throw new HekafsError('HEKAFS_STATE_INVALID', `the content of ${version.hash} is not there any more`, {
			remedy: 'Choose another version: hfs_config history PATH',
		});
	line(JSON.stringify({...asJson(version), path, content: content.toString('base64')}));
};
