/** The daemon's figures as Prometheus text. */
import {collectDefaultMetrics, type Gauge, Registry} from 'prom-client';
import {FIGURES, type Moment} from './figures.ts';

export class Metrics {
	readonly #registry = new Registry();
	#moment: Moment | undefined;

	/** Watches the process from now on: CPU, memory, event loop, garbage collection. */
	constructor() {
		for (const {name, type, help, samples} of FIGURES) {
			// The registry asks its metrics for nothing but this. Its own classes keep values; ours are kept elsewhere.
			const metric = {
				name,
				get: () => ({name, type, help, values: this.#moment === undefined ? [] : samples(this.#moment)}),
			};
			this.#registry.registerMetric(metric as unknown as Gauge);
		}
		collectDefaultMetrics({register: this.#registry});
	}

	/** @returns text in the Prometheus exposition format, version 0.0.4 */
	async text(moment: Moment): Promise<string> {
		this.#moment = moment;
		return this.#registry.metrics();
	}
}
