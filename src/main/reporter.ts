/** Tells what the loop has decided: the status report, the sentinels' texts, the figures. */
import {type Decision} from '../heal/decide.ts';
import {sentinelTexts} from '../membership/report-text.ts';
import {type StatusReport} from '../membership/report.ts';
import {type Overlay} from '../overlay/overlay.ts';
import {type Journal} from './journal.ts';
import {type Moment, type RequestFigures} from './metrics/figures.ts';
import {refusedOf} from './metrics/kinds.ts';
import {Refusals} from './metrics/refusals.ts';
import {Metrics} from './metrics/text.ts';
import {makeReport, type ReportSource} from './report.ts';

/** How often the text of `metrics` is made anew. */
const METRICS_MS = 2000;
const NO_REQUESTS: RequestFigures = {
	workers: 0,
	inFlight: 0,
	queued: 0,
	overdueAnswered: 0,
	requests: 0,
	refused: 0,
	nodes: 0,
	handles: 0,
	switches: 0,
};

export class Reporter {
	readonly #source: Omit<ReportSource, 'gateSince'>;
	readonly #overlay: () => Overlay | undefined;
	readonly #journal: Pick<Journal, 'version' | 'figures'>;
	readonly #figures = new Metrics();
	readonly #refusals = new Refusals();
	#gateSince = new Date();
	#gateState = 'refusing';
	#metrics = '';
	#timer: NodeJS.Timeout | undefined;

	/** @param overlay undefined while it is not mounted yet */
	constructor(
		source: Omit<ReportSource, 'gateSince'>,
		overlay: () => Overlay | undefined,
		journal: Pick<Journal, 'version' | 'figures'>,
	) {
		this.#source = source;
		this.#overlay = overlay;
		this.#journal = journal;
	}

	report(): StatusReport {
		return makeReport({...this.#source, gateSince: this.#gateSince});
	}

	async metrics(): Promise<string> {
		return this.#figures.text(this.#moment());
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
	decided(decision: Decision): void {
		this.#refusals.note(refusedOf(this.#overlay()?.tallied() ?? []), decision);
		if (decision.gate !== this.#gateState) this.#gateSince = new Date();
		this.#gateState = decision.gate;
		this.publish();
	}

	publish(): void {
		const version = `${this.#journal.version}\n`;
		this.#overlay()?.publish({...sentinelTexts(this.report()), version, metrics: this.#metrics});
	}

	#moment(): Moment {
		const overlay = this.#overlay();
		const tallied = overlay?.tallied() ?? [];
		this.#refusals.note(refusedOf(tallied), this.#source.loop.decision);
		return {
			report: this.report(),
			fuse: overlay?.stats() ?? NO_REQUESTS,
			tallied,
			refusals: this.#refusals.counts,
			journal: this.#journal.figures,
		};
	}
}
