/** The look of a report's page, light and dark. */
export const style = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.75rem 0; }
th, td { text-align: left; padding: 0.2rem 0.6rem; vertical-align: middle; }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small, .note { opacity: 0.7; }
.bar { position: relative; display: inline-block; width: 12rem; height: 1em; background: color-mix(in srgb, currentColor 8%, transparent); }
.bar i { position: absolute; top: 30%; height: 40%; background: #4a90d9; opacity: 0.6; }
.bar b { position: absolute; top: 0; width: 2px; height: 100%; background: #1d5ea8; }
.better { color: #1a7f37; }
.worse { color: #cf222e; }
dt { font-weight: 600; float: left; clear: left; margin-right: 0.5rem; }
dd { margin: 0 0 0.2rem 7rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
article { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 0.75rem; }
article img { max-width: 100%; }
article p { margin: 0.4rem 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; }
@media (prefers-color-scheme: dark) { .better { color: #3fb950; } .worse { color: #ff7b72; } .bar b { background: #9cc7f5; } }
`;
