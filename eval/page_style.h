#pragma once

namespace smoothlab::eval {

/// The page's style sheet. Colours are variables, so that light and dark differ in one block each.
constexpr const char* page_style = R"css(
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--card:#f6f8fa;
--bar:#3f74b5;--gap:#d9542b;--share:#98a1ad;--good:#1a7f4b;
--p0:#3f74b5;--p1:#d9542b;--p2:#1a8f5a;--p3:#8b5fbf;--p4:#b8860b;--p5:#0f8b9d;--p6:#c2408f;--p7:#6b7280}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e7eaee;--soft:#9aa4b1;--line:#343b45;
--card:#1c2127;--bar:#6ea3e6;--gap:#ff8a63;--share:#6d7784;--good:#59c98f;
--p0:#6ea3e6;--p1:#ff8a63;--p2:#59c98f;--p3:#bb98ee;--p4:#e0b64a;--p5:#4fc3d4;--p6:#ef85c4;--p7:#a3adba}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#fff;
--bar:#3f74b5;--gap:#d9542b;--share:#98a1ad;--good:#1a7f4b;
--p0:#3f74b5;--p1:#d9542b;--p2:#1a8f5a;--p3:#8b5fbf;--p4:#b8860b;--p5:#0f8b9d;--p6:#c2408f;--p7:#6b7280}
figure,tr{break-inside:avoid}.scroll{overflow:visible}}
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
figure{margin:0;padding:14px;background:var(--card);border:1px solid var(--line);border-radius:8px;
display:flex;flex-direction:column}
figcaption{margin-bottom:8px;overflow-wrap:anywhere}
figcaption b{display:block}
figure svg{display:block;width:100%;height:auto;margin-top:auto;font:11px system-ui,sans-serif}
svg text{fill:var(--soft)}svg .axis-name{font-size:12px}
.bar{fill:var(--bar)}.gap{fill:var(--gap);fill-opacity:.45;stroke:var(--gap)}.share{fill:var(--share)}
.grid{stroke:var(--line)}.axis{fill:none;stroke:var(--soft)}
.ideal{stroke:var(--ink);stroke-dasharray:5 4;stroke-width:1.3}
.c0{--c:var(--p0)}.c1{--c:var(--p1)}.c2{--c:var(--p2)}.c3{--c:var(--p3)}.c4{--c:var(--p4)}.c5{--c:var(--p5)}
.c6{--c:var(--p6)}.c7{--c:var(--p7)}
.curve{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}.curve.dashed{stroke-dasharray:6 4}
.band{fill:var(--c);fill-opacity:.16}.mark{fill:var(--c)}.mark:hover{stroke:var(--ink);stroke-width:1.5}
.mark.template{stroke:var(--ink);stroke-width:1}.mark.faint{opacity:0}.mark.faint:hover{opacity:1}
figure .legend{font-size:.82rem;gap:3px 14px;margin-bottom:6px}
.legend span[class^=c]{background:var(--c)}.legend span.dashed{height:0;background:none;border-top:3px dashed var(--c);
border-radius:0;vertical-align:3px}
.legend span.template{background:var(--c);clip-path:polygon(50% 0,100% 100%,0 100%)}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:0 0 14px;padding:0;list-style:none;color:var(--soft)}
.legend span{display:inline-block;width:14px;height:14px;margin-right:6px;vertical-align:-2px;border-radius:2px}
.legend .b{background:var(--bar)}.legend .g{background:var(--gap);opacity:.6}
.legend .i{height:0;border-top:2px dashed var(--ink);border-radius:0;vertical-align:4px}
.notes{padding-left:20px}
h3{font-size:1rem;margin:28px 0 10px}h4{font-size:.95rem;margin:18px 0 8px}
section+section{border-top:1px solid var(--line);margin-top:44px}
table.claims th:nth-child(2){text-align:left}
td.text{white-space:normal;text-align:left;min-width:15ch}
td.text .soft{display:block;margin-left:0}
figcaption .soft{font-size:.85rem}
.diagrams.pairs{grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr))}
.badge{border:1px solid currentColor;border-radius:99px;padding:1px 10px;font-size:.85em;color:var(--soft)}
.badge.yes{color:var(--good)}.badge.no{color:var(--gap)}
@media (max-width:600px){table.claims thead{display:none}table.claims tr{display:block;padding:6px 0;
border-bottom:1px solid var(--line)}table.claims td{display:block;border:0;padding:3px 10px;text-align:left}main{padding:20px 14px 40px}th,td{padding:7px 10px}h1{font-size:1.45rem}}
)css";

}  // namespace smoothlab::eval
