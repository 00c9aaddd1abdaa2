/** Tells what the loop has decided: the status report, the sentinels' texts, the figures. */
import {type Decision} from '../heal/decide.ts';
import {sentinelTexts} from '../membership/report-text.ts';
import {type StatusReport} from '../membership/report.ts';
import {type Overlay} from '../overlay/overlay.ts';
import {metricsText, type RequestFigures} from './metrics.ts';
import {makeReport, type ReportSource} from './report.ts';

/** How often the text of `metrics` is made anew. */
const METRICS_MS = 2000;
const NO_REQUESTS: RequestFigures = {workers: 0, inFlight: 0, queued: 0, overdueAnswered: 0, requests: 0};

export class Reporter {
	readonly #source: Omit<ReportSource, 'gateSince'>;
	readonly #overlay: () => Overlay | undefined;
	readonly #version: () => string;
	#gateSince = new Date();
	#gateState = 'refusing';
	#metrics = '';
	#timer: NodeJS.Timeout | undefined;

	/**
	 * @param overlay undefined while it is not mounted yet
	 * @param version of the whole filesystem, one line
	 */
	constructor(
		source: Omit<ReportSource, 'gateSince'>,
		overlay: () => Overlay | undefined,
		version: () => string,
	) {
		this.#source = source;
		this.#overlay = overlay;
		this.#version = version;
	}

	report(): StatusReport {
		return makeReport({...this.#source, gateSince: this.#gateSince});
	}

	async metrics(): Promise<string> {
		return metricsText(this.report(), this.#overlay()?.stats() ?? NO_REQUESTS);
	}

	start(): void {
		const renew = async (): Promise<void> => {
			this.#metrics = await this.metrics();
		};
		this.#timer = setInterval(() => void renew(), METRICS_MS);
		void renew().then(() => this.publish());
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	/** After each turn of the loop. */
	decided({gate}: Decision): void {
		if (gate !== this.#gateState) this.#gateSince = new Date();
		this.#gateState = gate;
		this.publish();
	}

	publish(): void {
		const version = `${this.#version()}\n`;
		this.#overlay()?.publish({...sentinelTexts(this.report()), version, metrics: this.#metrics});
	}
}
