/** The table of paths that hekafsd answers, and by which door. */
import {type StatusReport} from '../membership/report.ts';
import {
	parseHistoryRequest,
	parseInitRequest,
	parseLogRequest,
	parseRetireRequest,
	parseServeRequest,
	parseVersionRequest,
	type Control,
	type ControlContext,
	type ControlResult,
} from './control.ts';
import {INIT_MAX_BODY_BYTES} from './init-entry.ts';
import {
	parseChangeRequest,
	parsePeerRequest,
	PEER_PATHS,
	type PeerReply,
	type PeerRequests,
} from './peer-requests.ts';
import {toJsonText} from './answers.ts';
import {pageText} from './page/document.ts';
import {sectionsOf, type Sections} from './page/sections.ts';
import {type PageState} from './page/state.ts';

/** `tcp`: from anywhere. `socket`: from root on this node. */
export type Door = 'tcp' | 'socket';

interface Common {
	readonly path: string;
	readonly doors: readonly Door[];
}

export type Route =
	/** Answered from memory, at once. */
	| (Common & {readonly kind: 'text'; readonly contentType: string; readonly text: () => string})
	/** A page for browsers; whoever does not ask for HTML gets text. */
	| (Common & {readonly kind: 'page'; readonly text: () => string; readonly page: (door: Door) => string})
	/** Server-sent events: the page's sections as they change. */
	| (Common & {readonly kind: 'events'; readonly sections: (door: Door) => Sections})
	/** GET that may take a while. */
	| (Common & {
			readonly kind: 'query';
			readonly contentType: string;
			readonly query: (context: {readonly signal: AbortSignal}) => Promise<string>;
	  })
	/** Signed POST of another node. */
	| (Common & {
			readonly kind: 'peer';
			readonly handle: (body: Uint8Array, context: {readonly signal: AbortSignal}) => Promise<PeerReply>;
	  })
	/** POST of hfs_config, answered by a stream of JSON lines. */
	| (Common & {
			readonly kind: 'operation';
			readonly maxBodyBytes: number;
			readonly run: (body: unknown, context: ControlContext) => Promise<ControlResult>;
	  });

export const methodsOf = (route: Route): readonly string[] => {
	if (route.kind === 'peer' || route.kind === 'operation') return ['POST'];
	return route.kind === 'events' ? ['GET'] : ['GET', 'HEAD'];
};

export interface RouteHandlers {
	readonly report: () => StatusReport;
	/** Prometheus text. */
	readonly metrics: () => Promise<string>;
	/** What the status page shows. @param names whether the reader is root on this node */
	readonly page: (names: boolean) => PageState;
	readonly peers: PeerRequests;
	readonly control: Control;
}

const JSON_TYPE = 'application/json; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';
const BOTH: readonly Door[] = ['tcp', 'socket'];
const SOCKET: readonly Door[] = ['socket'];
const CONTROL_BODY_BYTES = 64 * 1024;

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const welcome = (report: StatusReport): string =>
	[
		`HekaFS configuration filesystem, node ${report.node.hostname} (${report.node.uuid}): ${report.health}`,
		'',
		'GET /v1/status  the whole state as JSON',
		'GET /metrics    the same as figures for Prometheus',
		'GET /v1/events  the parts of the page for browsers as they change',
		'',
	].join('\n');

/** Open to everybody: nothing secret in them. */
const statusRoutes = ({report, metrics, page}: RouteHandlers): readonly Route[] => [
	{
		kind: 'page',
		path: '/',
		doors: BOTH,
		text: () => welcome(report()),
		page: door => pageText(page(door === 'socket')),
	},
	{kind: 'events', path: '/v1/events', doors: BOTH, sections: door => sectionsOf(page(door === 'socket'))},
	{kind: 'text', path: '/v1/status', doors: BOTH, contentType: JSON_TYPE, text: () => toJsonText(report())},
	{kind: 'query', path: '/metrics', doors: BOTH, contentType: METRICS_TYPE, query: metrics},
];

/** Signed with the cluster's secret. */
const peerRoutes = ({peers}: RouteHandlers): readonly Route[] => {
	const route = (path: string, handle: Extract<Route, {kind: 'peer'}>['handle']): Route => ({
		kind: 'peer',
		path,
		doors: BOTH,
		handle,
	});
	return [
		route(PEER_PATHS.switching, async (body, context) => peers.switching(parsePeerRequest(body), context)),
		route(PEER_PATHS.change, async (body, context) => ({
			...(await peers.change(parseChangeRequest(body), context)),
		})),
		route(PEER_PATHS.adopt, async (body, context) => peers.adopt(parsePeerRequest(body), context)),
	];
};

type Operation = Extract<Route, {kind: 'operation'}>;
const operation = (path: string, run: Operation['run'], maxBodyBytes = CONTROL_BODY_BYTES): Operation => ({
	kind: 'operation',
	path,
	doors: SOCKET,
	maxBodyBytes,
	run,
});

/** Only for those who may open the Unix socket: root. */
const controlRoutes = ({control}: RouteHandlers): readonly Route[] => [
	operation('/v1/serve', async (body, context) => await control.serve(parseServeRequest(body), context)),
	operation('/v1/retire', async (body, context) => await control.retire(parseRetireRequest(body), context)),
	operation(
		'/v1/init',
		async (body, context) => await control.init(parseInitRequest(body), context),
		INIT_MAX_BODY_BYTES,
	),
	operation('/v1/heal', async (_body, context) => await control.heal(context)),
	operation('/v1/verify', async (_body, context) => await control.verify(context)),
	operation('/v1/log', async (body, context) => await control.log(parseLogRequest(body), context)),
	operation(
		'/v1/history',
		async (body, context) => await control.history(parseHistoryRequest(body), context),
	),
	operation(
		'/v1/version',
		async (body, context) => await control.version(parseVersionRequest(body), context),
	),
	operation('/v1/remount', async (_body, context) => await control.remount(context)),
	{
		kind: 'query',
		path: '/v1/plan',
		doors: SOCKET,
		contentType: JSON_TYPE,
		query: async context => toJsonText(await control.plan(context)),
	},
	{
		kind: 'query',
		path: '/v1/volfile',
		doors: SOCKET,
		contentType: TEXT_TYPE,
		query: async context => await control.volfile(context),
	},
];

/** All routes of a node; one path stands once. */
export const routeTable = (handlers: RouteHandlers): readonly Route[] => [
	...statusRoutes(handlers),
	...peerRoutes(handlers),
	...controlRoutes(handlers),
];
