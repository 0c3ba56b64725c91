import type { Capability } from '../../verdicts/all.ts'
import { type Html, html } from '../../web/page-html.ts'

/** Added to the style of the status page. On a narrow screen each row of a table becomes a card. */
export const fleetStyle = (capabilities: readonly Capability[]): Html => html`
.bars { display: grid; gap: 0.6rem; margin-top: 0.75rem; padding: 1rem 1.1rem; background: var(--surface);
  border: 1px solid var(--line); border-radius: 10px; list-style: none; }
.bars li { display: grid; grid-template-columns: 7rem 1fr; gap: 0.1rem 1rem; align-items: center; }
.bars h3 { font-size: 0.95rem; }
.bar { display: flex; height: 0.7rem; border-radius: 99px; overflow: hidden; gap: 2px;
  background: light-dark(#dde1e5, #2c3238); }
.bar span { min-width: 3px; }
.bar .y { background: light-dark(#2f8f55, #58b981); }
.bar .n { background: light-dark(#c9574b, #d9776b); }
.bar .u { background: light-dark(#d9a514, #e0b84a); }
.bar .o { background: light-dark(#a7afb7, #5d666e); }
.bars p { grid-column: 2; font-size: 0.875rem; color: var(--muted); }
.matrix th:first-child { width: 38%; }
.matrix.noted th:last-child { width: 16%; }
.matrix thead th { padding-inline: 0.6rem; }
.matrix th:first-child { padding-left: 1rem; }
.matrix td { padding: 0.4rem 0.6rem; white-space: nowrap; font-variant-numeric: tabular-nums; font-size: 0.875rem; }
.matrix td.note { white-space: normal; color: var(--open); margin: 0; }
.matrix tbody th { font-size: 0.9rem; }
.y { color: var(--good); }
.n { color: var(--bad); }
.u { color: var(--open); }
.p { color: var(--open); }
.z, .old td { color: var(--muted); }
.matrix .y::before { content: '✓ ' / ''; }
.matrix .n::before { content: '✕ ' / ''; }
.matrix .p::before { content: '◐ ' / ''; }
.matrix .u::before { content: '? ' / ''; }
.pool { margin-top: 0.75rem; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
.pool > summary { padding: 0.7rem 1rem 0.7rem 2.2rem; }
.pool > summary::before { left: 1.1rem; top: 1.2rem; }
.pool > .inside { padding: 0 1rem 1rem; }
.why { list-style: none; display: grid; gap: 0.45rem; margin: 0.25rem 0 0.5rem; font-size: 0.925rem; max-width: 80rem; }
.why li { display: grid; grid-template-columns: 5.4rem 6.5rem minmax(0, 1fr); gap: 0 0.75rem; align-items: baseline; }
.why .chip { text-align: center; }
.why b { font-weight: 600; }
.why small { display: block; color: var(--muted); font-size: 0.85rem; }
.help { margin-top: 0.75rem; }
.help h3 { margin: 0.9rem 0 0.2rem; }
.help ol { list-style: none; display: grid; gap: 0.4rem; }
.help li { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0 0.75rem; padding: 0.55rem 0.9rem;
  background: light-dark(#e6f0f8, #132a3b); border-radius: 8px; }
.help small { color: var(--muted); font-size: 0.85rem; }
@media (max-width: 47.99rem) {
  .bars li { grid-template-columns: 1fr; }
  .bars p { grid-column: 1; }
  .matrix thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .matrix, .matrix tbody { display: block; }
  .matrix tbody tr { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0 1rem;
    padding: 0.6rem 0.8rem;
    border-top: 1px solid var(--line); }
  .matrix tbody tr:first-child { border-top: 0; }
  .matrix tbody th:first-child { display: block; width: auto; grid-column: 1 / -1; border: 0; padding: 0 0 0.2rem; }
  .matrix td { display: flex; gap: 0.3rem; border: 0; padding: 0.1rem 0; }
  .matrix td::after { order: -1; margin-right: auto; color: var(--muted); }
  .matrix td.note { grid-column: 1 / -1; }
  .matrix td.note:empty { display: none; }
  ${capabilities.map((name, index) => html`.matrix td:nth-child(${index + 2})::after { content: '${name}'; }\n`)}
  .why li { grid-template-columns: 5.4rem minmax(0, 1fr); }
  .why li > span:last-child { grid-column: 1 / -1; }
  .help li { grid-template-columns: 1fr; }
}
@media print { body { max-width: none; } details { break-inside: auto; } .matrix tr, .why li, .help li { break-inside: avoid; } }
`
