import { type Html, html } from './page-html.ts'

/** The only style sheet. Colours are named by their purpose; every text has a contrast of at least 4.5 in light and dark mode. */
export const STYLE: Html = html`
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f8, #101316);
  --surface: light-dark(#ffffff, #181c20);
  --sunk: light-dark(#f1f3f5, #12161a);
  --line: light-dark(#dde1e5, #2c3238);
  --text: light-dark(#1a1d21, #e4e7ea);
  --muted: light-dark(#565d66, #a3abb3);
  --accent: light-dark(#1f5f8b, #8cc4ee);
  --good: light-dark(#14532d, #9fe0b5);
  --good-ground: light-dark(#dff3e5, #14301f);
  --bad: light-dark(#8a1c12, #ffb4a8);
  --bad-ground: light-dark(#fbe4e1, #40181a);
  --open: light-dark(#664600, #f3d27c);
  --open-ground: light-dark(#fbefcc, #352a0c);
  --code: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
}
*, ::before, ::after { box-sizing: border-box; }
html { scroll-padding-top: 1rem; text-size-adjust: 100%; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem) 2rem; max-width: 82rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: clamp(1.4rem, 1.1rem + 1.6vw, 2.1rem); line-height: 1.2; letter-spacing: -0.015em; font-weight: 650; }
h2 { font-size: 1.15rem; line-height: 1.3; font-weight: 650; }
h3, h4 { font: inherit; font-weight: 600; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code, samp { font: 0.875em/1.5 var(--code); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.muted, .lead, .from, .when, footer { color: var(--muted); }
.brand {
  display: flex; align-items: center; gap: 0.4rem; color: light-dark(#1f5f8b, #5b9fd0); font-weight: 650;
  margin-bottom: 0.75rem;
}
.summary { margin-top: 0.4rem; font-size: 1.1rem; max-width: 60ch; }
.vitals {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); gap: 1rem 1.5rem;
  margin: 1.25rem 0 2rem; padding: 1rem 1.1rem; background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px; font-size: 0.9rem;
}
.vitals dt { color: var(--muted); }
.error { color: var(--bad); }
section { margin-bottom: 2.25rem; }
.lead { margin-top: 0.1rem; font-size: 0.9rem; }
.pair {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); column-gap: 2rem;
  align-items: start;
}
.chip {
  display: inline-block; padding: 0.05rem 0.55rem; border-radius: 99px; font-size: 0.8rem; line-height: 1.5;
  font-weight: 600; white-space: nowrap; background: var(--sunk); color: var(--muted);
  box-shadow: inset 0 0 0 1px color-mix(in srgb, currentColor 22%, transparent);
}
.good { background: var(--good-ground); color: var(--good); }
.bad { background: var(--bad-ground); color: var(--bad); }
.open { background: var(--open-ground); color: var(--open); }
summary {
  cursor: pointer; list-style: none; display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.15rem 0.6rem;
  padding-left: 1.1rem; position: relative;
}
summary::-webkit-details-marker { display: none; }
summary::before {
  content: ''; position: absolute; left: 0.1rem; top: 0.55em; width: 0.4em; height: 0.4em; border: solid var(--muted);
  border-width: 0 2px 2px 0; transform: rotate(-45deg);
}
details[open] > summary::before { transform: rotate(45deg); }
summary:hover::before { border-color: var(--accent); }
.verdicts { margin-top: 0.75rem; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
.verdict + .verdict { border-top: 1px solid var(--line); }
.verdict > summary { padding: 0.7rem 1rem 0.7rem 2.2rem; }
.verdict > summary::before { left: 1.1rem; top: 1.25rem; }
.verdict > summary .chip { min-width: 5.4rem; text-align: center; }
.verdict h3 { min-width: 7rem; }
.verdict > .inside { padding: 0.25rem 1rem 1rem 2.2rem; }
.box { margin: 0.25rem 0 0.75rem; padding: 0.6rem 0.9rem; border-radius: 8px; max-width: 75ch; }
.box ul { padding-left: 1.1rem; }
.ways { background: light-dark(#e6f0f8, #132a3b); }
.cautions { background: var(--open-ground); color: var(--open); }
.tree { list-style: none; font-size: 0.925rem; }
.tree .tree { border-left: 1px solid var(--line); padding-left: 0.75rem; margin-left: 0.2rem; }
.tree li { margin: 0.3rem 0; }
.tree .chip { min-width: 3.7rem; text-align: center; }
.tree b { font-weight: 600; }
.leaf { padding-left: 1.1rem; }
.tree .inside { padding: 0.1rem 0 0.4rem 1.1rem; }
.from { font-size: 0.85rem; margin-top: 0.2rem; }
.evidence { list-style: none; margin: 0.25rem 0; padding: 0.4rem 0.7rem; background: var(--sunk); border-radius: 6px; }
.evidence li { display: grid; gap: 0 1rem; margin: 0.15rem 0; }
.evidence code { color: var(--muted); }
table {
  width: 100%; margin-top: 0.75rem; border-collapse: separate; border-spacing: 0; background: var(--surface);
  border: 1px solid var(--line); border-radius: 10px; font-size: 0.925rem; table-layout: fixed;
}
th, td { padding: 0.5rem 1rem; text-align: left; vertical-align: baseline; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 400; font-size: 0.85rem; }
th:first-child { width: 12.5rem; }
#labels ~ table th:first-child { width: 58%; }
tbody th { font-weight: 600; }
tbody th code { font-weight: 400; }
tr:target { background: light-dark(#fff8df, #2a2512); }
.line, td summary {
  display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem;
  padding-left: 1.1rem;
}
.value { flex: 1 1 14rem; }
.when { font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.tail {
  margin: 0.4rem 0 0.2rem; padding: 0.4rem 0.7rem; background: var(--sunk); border-radius: 6px; white-space: pre-wrap;
  font: 0.82rem/1.5 var(--code);
}
td .evidence { margin: 0.4rem 0 0.2rem 1.1rem; font-size: 0.95em; }
.ways-out {
  margin-top: 0.75rem; background: light-dark(#e6f0f8, #132a3b); border-radius: 10px;
  padding: 0.75rem 1rem 0.75rem 2.2rem;
}
.ways-out li { margin: 0.35rem 0; }
.note { flex: none; margin-left: auto; color: var(--open); font-size: 0.85rem; }
.tag {
  display: inline-block; padding: 0 0.5rem; border-radius: 5px; font-size: 0.8rem;
  background: light-dark(#ffffffb0, #ffffff14); white-space: nowrap;
}
.empty {
  padding: 2rem 1rem; text-align: center; background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px;
}
footer { font-size: 0.875rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media (min-width: 48rem) {
  .verdict > summary { flex-wrap: nowrap; }
  .evidence li { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
}
@media (max-width: 47.99rem) {
  .verdict > summary .because { flex-basis: 100%; }
  .verdict > summary .chip { min-width: 0; }
  .verdict > .inside { padding-left: 1rem; }
  th, td { padding: 0.5rem 0.7rem; }
  th:first-child { width: 8.2rem; padding-right: 0.2rem; }
}
`
