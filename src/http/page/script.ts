/** The script of the status page, as text for browsers: puts the sections in place that the events bring. */
export const SCRIPT = `
'use strict';
(() => {
	const live = document.getElementById('live');
	const say = (text, stale) => {
		if (live.textContent !== text) live.textContent = text;
		document.body.classList.toggle('stale', stale);
	};
	const put = (id, html) => {
		if (id === 'title') {
			document.title = new DOMParser().parseFromString(html, 'text/html').body.textContent;
			return;
		}
		const element = document.getElementById(id);
		if (element === null) return;
		// A link that has the focus keeps it when its section is replaced.
		const focus = element.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
		element.innerHTML = html;
		if (focus !== null) element.querySelector('a[href="' + CSS.escape(focus) + '"]')?.focus();
	};
	let last = document.querySelector('footer time').textContent;
	const connect = () => {
		const events = new EventSource('/v1/events');
		events.addEventListener('sections', event => {
			const {time, sections} = JSON.parse(event.data);
			last = time;
			for (const [id, html] of Object.entries(sections)) put(id, html);
			say('Live', false);
		});
		events.addEventListener('error', () => {
			say('No answer from hekafsd: this is the state of ' + last, true);
			// The browser tries again by itself after a broken connection, not after a refusal.
			if (events.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
		});
	};
	connect();
})();
`;
