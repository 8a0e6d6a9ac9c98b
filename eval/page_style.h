#pragma once

namespace smoothlab::eval {

/// The page's style sheet. Colours are variables, so that light and dark differ in one block each.
constexpr const char* page_style = R"css(
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--card:#f6f8fa;
--bar:#3f74b5;--gap:#d9542b;--share:#98a1ad;--good:#1a7f4b}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e7eaee;--soft:#9aa4b1;--line:#343b45;
--card:#1c2127;--bar:#6ea3e6;--gap:#ff8a63;--share:#6d7784;--good:#59c98f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:1280px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 8px}
h2{font-size:1.2rem;margin:40px 0 12px}
p{margin:0 0 12px;max-width:76ch}
.scroll+p,.scroll+ul{margin-top:14px}
.soft{color:var(--soft)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:8px 14px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-weight:600;background:var(--card)}
th:first-child,td:first-child{text-align:left}
tbody tr:last-child td{border-bottom:0}
td .soft{font-size:.875em;margin-left:.35em}
tr.file td{background:var(--card);font-weight:600;text-align:left;white-space:normal;overflow-wrap:anywhere}
tr.published td{color:var(--soft)}
.diagrams{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,280px),1fr));gap:16px}
figure{margin:0;padding:14px;background:var(--card);border:1px solid var(--line);border-radius:8px}
figcaption{margin-bottom:8px;overflow-wrap:anywhere}
figcaption b{display:block}
figure svg{display:block;width:100%;height:auto;font:11px system-ui,sans-serif}
svg text{fill:var(--soft)}svg .axis-name{font-size:12px}
.bar{fill:var(--bar)}.gap{fill:var(--gap);fill-opacity:.45;stroke:var(--gap)}.share{fill:var(--share)}
.grid{stroke:var(--line)}.axis{fill:none;stroke:var(--soft)}
.ideal{stroke:var(--ink);stroke-dasharray:5 4;stroke-width:1.3}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:0 0 14px;padding:0;list-style:none;color:var(--soft)}
.legend span{display:inline-block;width:14px;height:14px;margin-right:6px;vertical-align:-2px;border-radius:2px}
.legend .b{background:var(--bar)}.legend .g{background:var(--gap);opacity:.6}
.legend .i{height:0;border-top:2px dashed var(--ink);border-radius:0;vertical-align:4px}
.notes{padding-left:20px}
@media (max-width:600px){main{padding:20px 14px 40px}th,td{padding:7px 10px}h1{font-size:1.45rem}}
)css";

}  // namespace smoothlab::eval
