/** The table of paths that hekafsd answers, and by which door. */
import {type StatusReport} from '../membership/report.ts';
import {
	parseInitRequest,
	parseRetireRequest,
	parseServeRequest,
	type Control,
	type ControlContext,
	type ControlResult,
} from './control.ts';
import {INIT_MAX_BODY_BYTES} from './init-entry.ts';
import {PEER_PATHS, type PeerReply, type PeerRequest, type PeerRequests} from './peer-requests.ts';
import {toJsonText} from './answers.ts';

/** `tcp`: from anywhere. `socket`: from root on this node. */
export type Door = 'tcp' | 'socket';

interface Common {
	readonly path: string;
	readonly doors: readonly Door[];
}

export type Route =
	/** Answered from memory, at once. */
	| (Common & {readonly kind: 'text'; readonly contentType: string; readonly text: () => string})
	/** GET that may take a while. */
	| (Common & {
			readonly kind: 'query';
			readonly contentType: string;
			readonly query: (context: {readonly signal: AbortSignal}) => Promise<string>;
	  })
	/** Signed POST of another node. */
	| (Common & {
			readonly kind: 'peer';
			readonly handle: (request: PeerRequest, context: {readonly signal: AbortSignal}) => Promise<PeerReply>;
	  })
	/** POST of hfs_config, answered by a stream of JSON lines. */
	| (Common & {
			readonly kind: 'operation';
			readonly maxBodyBytes: number;
			readonly run: (body: unknown, context: ControlContext) => Promise<ControlResult>;
	  });

export const methodsOf = (route: Route): readonly string[] =>
	route.kind === 'text' || route.kind === 'query' ? ['GET', 'HEAD'] : ['POST'];

export interface RouteHandlers {
	readonly report: () => StatusReport;
	/** Prometheus text. */
	readonly metrics: () => Promise<string>;
	readonly peers: PeerRequests;
	readonly control: Control;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const BOTH: readonly Door[] = ['tcp', 'socket'];
const SOCKET: readonly Door[] = ['socket'];
const CONTROL_BODY_BYTES = 64 * 1024;

const welcome = (report: StatusReport): string =>
	[
		`HekaFS configuration filesystem, node ${report.node.hostname} (${report.node.uuid}): ${report.health}`,
		'',
		'GET /v1/status  the whole state as JSON',
		'GET /metrics    the same as figures for Prometheus',
		'',
	].join('\n');

export const routeTable = ({report, metrics, peers, control}: RouteHandlers): readonly Route[] => [
	{kind: 'text', path: '/', doors: BOTH, contentType: TEXT_TYPE, text: () => welcome(report())},
	{
		kind: 'text',
		path: '/v1/status',
		doors: BOTH,
		contentType: JSON_TYPE,
		text: () => toJsonText(report()),
	},
	{
		kind: 'query',
		path: '/metrics',
		doors: BOTH,
		contentType: 'text/plain; version=0.0.4; charset=utf-8',
		query: metrics,
	},
	{
		kind: 'peer',
		path: PEER_PATHS.switching,
		doors: BOTH,
		handle: async (request, context) => await peers.switching(request, context),
	},
	{
		kind: 'peer',
		path: PEER_PATHS.stopBrick,
		doors: BOTH,
		handle: async (request, context) => await peers.stopBrick(request, context),
	},
	{
		kind: 'peer',
		path: PEER_PATHS.startBrick,
		doors: BOTH,
		handle: async (request, context) => await peers.startBrick(request, context),
	},
	{
		kind: 'peer',
		path: PEER_PATHS.adopt,
		doors: BOTH,
		handle: async (request, context) => await peers.adopt(request, context),
	},
	{
		kind: 'operation',
		path: '/v1/serve',
		doors: SOCKET,
		maxBodyBytes: CONTROL_BODY_BYTES,
		run: async (body, context) => await control.serve(parseServeRequest(body), context),
	},
	{
		kind: 'operation',
		path: '/v1/retire',
		doors: SOCKET,
		maxBodyBytes: CONTROL_BODY_BYTES,
		run: async (body, context) => await control.retire(parseRetireRequest(body), context),
	},
	{
		kind: 'operation',
		path: '/v1/init',
		doors: SOCKET,
		maxBodyBytes: INIT_MAX_BODY_BYTES,
		run: async (body, context) => await control.init(parseInitRequest(body), context),
	},
	{
		kind: 'operation',
		path: '/v1/heal',
		doors: SOCKET,
		maxBodyBytes: CONTROL_BODY_BYTES,
		run: async (_body, context) => await control.heal(context),
	},
	{
		kind: 'operation',
		path: '/v1/verify',
		doors: SOCKET,
		maxBodyBytes: CONTROL_BODY_BYTES,
		run: async (_body, context) => await control.verify(context),
	},
	{
		kind: 'operation',
		path: '/v1/remount',
		doors: SOCKET,
		maxBodyBytes: CONTROL_BODY_BYTES,
		run: async (_body, context) => await control.remount(context),
	},
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
