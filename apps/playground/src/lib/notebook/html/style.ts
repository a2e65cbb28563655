/** Everything the page looks like; colours are those of the playground. Paper is light. */
export const style = `:root{--ink:#1d2125;--soft:#5a6066;--paper:#f8f7f4;--card:#fff;--line:#e4e0d8;--accent:#0f6e66;--bad:#b3261e;--good:#2f6b1f;--heat:217 119 6;
--series-1:#0f766e;--series-2:#b45309;--series-3:#6d28d9;--series-4:#be185d;--series-5:#1d4ed8;--series-6:#4d7c0f;color-scheme:light dark;print-color-adjust:exact;-webkit-print-color-adjust:exact}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e9e7e3;--soft:#a5abb1;--paper:#131517;--card:#1b1e21;--line:#31363b;--accent:#5fc9bb;--bad:#ff9e95;--good:#9fd38a;
--series-1:#5fc9bb;--series-2:#f3a35c;--series-3:#b99bff;--series-4:#f58bb9;--series-5:#8ab4ff;--series-6:#b4d66d}}
*{box-sizing:border-box}
body{max-width:58rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper);font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:var(--accent)}pre{overflow:auto}h1,h2,h3{line-height:1.25}
section{margin:1.5rem 0}.prose *{unicode-bidi:plaintext}p{margin:.5rem 0}
.card{padding:1rem;border:1px solid var(--line);border-radius:.75rem;background:var(--card)}
.small,caption,figcaption small{color:var(--soft);font-size:.8rem;font-weight:400}
.answer{padding:.25rem .75rem;border-inline-start:3px solid var(--accent);white-space:pre-wrap}
.bad{color:var(--bad)}.good{color:var(--good)}
img{display:block;max-width:100%;max-height:24rem;border-radius:.5rem}
figure{margin:.75rem 0}figcaption{font-size:.85rem;font-weight:600}figcaption small{display:block}
.frame{position:relative;display:inline-block;overflow:hidden;border-radius:.5rem;vertical-align:top}
.frame svg{position:absolute;inset:0;width:100%;height:100%}
.frame rect{fill:none;stroke-width:2.5px;vector-effect:non-scaling-stroke}
.frame span{position:absolute;max-width:60%;padding:0 .3rem;color:#fff;background:#000b;font-size:.7rem;line-height:1.5;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.tokens{font:.85rem/2 ui-monospace,monospace;white-space:pre-wrap}
.tokens span{padding:.1rem 0;border-radius:3px}
.tokens .parted{text-decoration:underline dotted var(--bad);text-underline-offset:4px}
.tokens .first{box-shadow:inset 3px 0 0 var(--bad);padding-left:.4rem}
.columns,.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(14rem,1fr));gap:.75rem}
.column{padding:.75rem;border:1px solid var(--line);border-top-width:3px;border-radius:.5rem}
.column h3{margin:0;font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}caption{text-align:left}
td,th{padding:.35rem .5rem;border-bottom:1px solid var(--line);text-align:start;vertical-align:top}th{color:var(--soft);font-weight:500}
.bars{display:grid;grid-template-columns:fit-content(38%) minmax(3rem,1fr) max-content;gap:.25rem .5rem;align-items:center;margin:.5rem 0;font-size:.85rem}
.bars i{height:.75rem;border-radius:2px}.bars b{font-weight:500;font-variant-numeric:tabular-nums}
.plot{display:block;width:100%;max-width:40rem;font-size:11px}.plot text{fill:var(--soft)}.plot line{stroke:var(--line)}.plot polyline{fill:none;stroke:var(--accent);stroke-width:1.5}
@media print{body{margin:0;max-width:none;background:none}section.card,figure,tr,.column{break-inside:avoid}h1,h2,h3{break-after:avoid}}`;
