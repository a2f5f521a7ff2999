"""The look of a report: quiet, in light and dark, on paper, and at any width."""

from __future__ import annotations

STYLE = """\
:root{--paper:#fff;--ink:#1b2430;--soft:#5a6675;--edge:#d5dce5;--panel:#f6f8fb;--link:#1d4fb8;
--good:#14713f;--good-bg:#e6f4ec;--bad:#b3261e;--bad-bg:#fdecea;--mark:#fff3c4;
color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--paper:#10151b;--ink:#e7ecf3;--soft:#a5b1c0;
--edge:#323d4a;--panel:#171d25;--link:#8fb3ff;--good:#6fd39b;--good-bg:#12301f;--bad:#ff8f86;
--bad-bg:#3a1714;--mark:#4a3f12}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.5;font-size:16px;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
.skip{position:absolute;left:-999px;top:0;background:var(--paper);color:var(--link);padding:.6rem}
.skip:focus{left:1rem;top:1rem;z-index:1}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.2rem}
h1{font-size:1.05rem;font-weight:600;color:var(--soft);margin:0 0 .8rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.6rem 0 .9rem;padding-top:.4rem}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
a{color:var(--link)}
.verdict{border-radius:14px;padding:1.1rem 1.4rem;border:1px solid;margin:0}
.verdict.good{background:var(--good-bg);border-color:var(--good)}
.verdict.bad{background:var(--bad-bg);border-color:var(--bad)}
.verdict strong{display:block;font-size:1.9rem;line-height:1.2;letter-spacing:-.01em}
.verdict.good strong{color:var(--good)}.verdict.bad strong{color:var(--bad)}
.verdict span{font-size:1.05rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.9rem 1.8rem;
margin:1.3rem 0 0}
.facts div{min-width:0}
.facts dt,.small{color:var(--soft);font-size:.86rem}
.facts dd{margin:0;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;list-style:none;margin:1.3rem 0 0;padding:0}
.hints{padding-left:1.3rem;margin:0}
.hints li{margin:.55rem 0;max-width:75ch}
.hints p{margin:.15rem 0;color:var(--soft)}
.hints.lines li{white-space:pre-line}
.hints b{font-weight:600}
.hints .todo{color:var(--ink)}
.todo::before{content:"→ ";color:var(--link)}
.scroll{overflow-x:auto;border:1px solid var(--edge);border-radius:12px;padding:.4rem}
.scroll svg{display:block;max-width:100%;min-width:900px;height:auto;margin:0 auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.86rem}
th,td{padding:.35rem .7rem .35rem 0;vertical-align:top;border-bottom:1px solid var(--edge)}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.86em}
.bar{position:relative;height:1.1rem;min-width:12rem;background:var(--panel);border-radius:5px}
.bar i{position:absolute;top:.2rem;bottom:.2rem;border-radius:4px;background:var(--link);
min-width:3px}
.bar i.bad{background:var(--bad)}.bar i.good{background:var(--good)}
details{border:1px solid var(--edge);border-radius:12px;margin:.55rem 0;background:var(--paper)}
details:target,details:has(:target){border-color:var(--link);box-shadow:0 0 0 2px var(--link)}
summary{cursor:pointer;padding:.55rem .9rem;border-radius:12px;display:flex;flex-wrap:wrap;
gap:.1rem .9rem;align-items:baseline}
summary:hover{background:var(--panel)}
summary::before{content:"▸";color:var(--soft)}
details[open]>summary::before{content:"▾"}
summary b{font-weight:600;overflow-wrap:anywhere}
summary .good{color:var(--good)}summary .bad{color:var(--bad)}
summary span{color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}
.inside{padding:0 .9rem .9rem}
.inside,.hints,.verdict{overflow-wrap:anywhere}
.meaning{margin:.2rem 0 .7rem;max-width:90ch}
.meaning p{margin:.2rem 0}
.good-text{color:var(--good);font-weight:600}.bad-text{color:var(--bad);font-weight:600}
.octets td{border:0;padding:.12rem 1rem .12rem 0}
.octets tr:nth-child(even) td{background:var(--panel)}
.octets .at{color:var(--soft);text-align:right;user-select:none;width:3.4rem}
.octets .hex{white-space:pre;color:var(--soft);width:25.5rem}
.octets .text{white-space:pre-wrap;overflow-wrap:anywhere}
.octets .text b{font-weight:600}
.parts{display:grid;gap:.15rem 1rem;margin:.5rem 0;
padding:.7rem .9rem;background:var(--panel);border-radius:9px}
.parts{grid-template-columns:fit-content(40%) minmax(0,1fr)}
.parts dt{color:var(--soft);font-size:.88rem}.parts dd{margin:0;overflow-wrap:anywhere}
.apdus td{overflow-wrap:anywhere}
.apdus .hex{width:27%;min-width:13rem}.apdus td:nth-child(2){width:20%}
.apdus{min-width:56rem}
footer{color:var(--soft);font-size:.86rem;padding-top:2.5rem;padding-bottom:2.5rem}
@media (max-width:860px){.octets .hex{white-space:normal;width:auto}
.octets td{display:block}.octets .at{text-align:left}
header,main,footer{padding-left:1rem;padding-right:1rem}}
@media print{body{font-size:9.5pt}header,main,footer{max-width:none;padding:0}
nav,.skip,summary::before{display:none!important}
details::details-content{content-visibility:visible!important;display:block!important;
height:auto!important}
details{border-color:#999;break-inside:auto}summary{break-after:avoid}
h2{break-after:avoid}.verdict,.facts div,tr,li{break-inside:avoid}
.scroll{overflow:visible;border:0}.scroll svg{min-width:0;width:100%}
.octets .hex{width:19rem}a{color:inherit;text-decoration:none}}
@page{margin:14mm}
"""
