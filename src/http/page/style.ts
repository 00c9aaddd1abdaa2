/** The style of the status page. One column on narrow screens; colours for light and dark, never alone: words say it too. */
export const STYLE = `
:root {
	color-scheme: light dark;
	--text: #1c2024; --soft: #5a636d; --line: #d5dae0; --page: #f6f7f9; --card: #fff; --link: #0b57d0;
	--good: #176639; --warn: #7a4d00; --bad: #b3261e;
	--good-back: #e3f4e8; --warn-back: #fdf1d8; --bad-back: #fce8e6; --code: #eceff3;
}
@media (prefers-color-scheme: dark) {
	:root {
		--text: #e4e7eb; --soft: #a0a9b3; --line: #343b44; --page: #14171b; --card: #1c2127; --link: #8ab4f8;
		--good: #7ddf9c; --warn: #ffca6b; --bad: #ff9d94;
		--good-back: #14301f; --warn-back: #362a10; --bad-back: #3d1a18; --code: #2a3038;
	}
}
* { box-sizing: border-box; }
body {
	margin: 0 auto; padding: 1rem; max-width: 62rem; background: var(--page); color: var(--text);
	font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
p { margin: 0 0 .5rem; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main { display: grid; gap: 1rem; margin: 1rem 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; min-width: 0; }
section > :last-child > :last-child, section > :last-child p:last-child { margin-bottom: 0; }
#reasons:empty { display: none; }
#verdict { padding: 0; border: 0; background: none; }
.verdict { padding: 1rem; border-radius: .5rem; border-left: .5rem solid; }
.verdict h2 { font-size: 1.5rem; line-height: 1.2; }
.healthy { background: var(--good-back); border-color: var(--good); }
.healthy h2 { color: var(--good); }
.degraded, .switching { background: var(--warn-back); border-color: var(--warn); }
.degraded h2, .switching h2 { color: var(--warn); }
.refusing { background: var(--bad-back); border-color: var(--bad); }
.refusing h2 { color: var(--bad); }
.reasons { list-style: none; margin: 0; padding: 0; }
.reasons li + li { border-top: 1px solid var(--line); padding-top: .75rem; margin-top: .75rem; }
.remedy { margin-bottom: 0; }
code, .code, .uuid { font: .85em/1.4 ui-monospace, monospace; }
code, .code { background: var(--code); border-radius: .25rem; padding: .1em .35em; }
.code, .uuid, dt, thead th, #live, footer { color: var(--soft); }
.uuid { font-weight: normal; }
.note { font-size: .85rem; color: var(--warn); }
.note::before { content: '· '; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.good, .bad { white-space: nowrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; }
tbody tr { border-top: 1px solid var(--line); }
thead th { font-size: .85rem; font-weight: normal; padding-top: 0; overflow-wrap: normal; }
tbody th { font-weight: normal; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: 7rem 1fr; gap: 0 .75rem; padding: .2rem 0; }
dd { margin: 0; }
progress { display: block; width: 100%; height: 1rem; margin-top: .25rem; accent-color: var(--link); }
.changes { list-style: none; margin: 0; padding: 0; font-size: .9rem; }
.changes li { padding: .15rem 0; }
.changes time { color: var(--soft); }
#live { margin: 0; }
.stale main { opacity: .55; }
.stale #live { color: var(--bad); font-weight: bold; }
footer nav a { margin-right: 1rem; }
@media (min-width: 52rem) {
	main { grid-template-columns: 1fr 1fr; align-items: start; }
	#verdict, #reasons, .wide { grid-column: 1 / -1; }
}
@media (max-width: 30rem) {
	body { padding: .75rem; }
	th, td { padding-right: .4rem; }
	dl div { grid-template-columns: 1fr; }
	dt { font-size: .85rem; }
}
`;
