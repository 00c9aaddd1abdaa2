/** Plans `hfs_config serve`: founds a filesystem where there is none, joins the one there is. Pure. */
import {type ClusterObservation, type PlanResult} from './plan.ts';
import {type FoundRequest, planFound} from './plan-found.ts';
import {planJoin} from './plan-join.ts';

/** This node joins what it belongs to; only a node that belongs to nothing may found, and only when nobody else does. */
export const planServe = (o: ClusterObservation, request: FoundRequest): PlanResult =>
	o.verdict?.kind === 'agreed' || (o.state !== undefined && !o.state.founding)
		? planJoin(o)
		: planFound(o, request);
