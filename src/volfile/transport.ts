/** How soon a TCP connection whose other end is gone ends, of clients and bricks alike. */
import {type Translator} from './syntax.ts';

/** Unacknowledged for this long, sent data or a probe ends the connection. */
const UNACKNOWLEDGED_S = 3;
const PROBE_INTERVAL_S = 1;

/**
 * A host that is cut off or without power acknowledges nothing: the kernel (tcp(7): TCP_USER_TIMEOUT, TCP_KEEPIDLE) ends the connection
 * after 3 s, as if it had been reset, whether something was sent or not. A host under load acknowledges, however long its processes
 * take. Without it GlusterFS' ping timer finds the cut after one to two time-outs, and a brick keeps the locks of a node that is gone
 * for 42 s (observed). Names: GlusterFS 10, `rpc-transport/socket`.
 */
export const TRANSPORT_OPTIONS: Translator['options'] = {
	'transport.tcp-user-timeout': UNACKNOWLEDGED_S,
	'transport.socket.keepalive-time': PROBE_INTERVAL_S,
	'transport.socket.keepalive-interval': PROBE_INTERVAL_S,
	'transport.socket.keepalive-count': UNACKNOWLEDGED_S / PROBE_INTERVAL_S,
};
