/// The page in Mustache; `{{…}}` is escaped, `{{{style}}}` is ours.
enum HTMLTemplate {
    static let style = """
        body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #1c2733; }
        h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
        table { border-collapse: collapse; margin: .6rem 0; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; }
        th { color: #66717d; font-weight: 500; border-bottom: 1px solid #d5dbe1; } td.number { text-align: right; }
        .pass { color: #1a7f37; } .fail { color: #c62828; } .inconclusive { color: #9a6700; }
        details { margin: .35rem 0; } summary { cursor: pointer; } .id { color: #8a949e; font-size: .85em; }
        .seen, .frames, .filter { margin: .15rem 0 .15rem 1.6rem; } code { background: #f1f4f7; padding: .05rem .3rem; }
        svg text { font: 11px system-ui, sans-serif; fill: #3a4651; } svg .lane { stroke: #e3e8ec; }
        svg .mark { fill: #2357c5; } svg .flow { fill: #b9d3f3; } svg .gap { fill: #e57373; } svg .tick { stroke: #e3e8ec; }
        .problem { border-left: 3px solid #c62828; padding-left: .8rem; } .lost { color: #c62828; font-weight: 600; }
        """

    static let text = """
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>{{lab}}: {{verdict}}</title><style>
        {{{style}}}
        </style></head>
        <body>
        <h1><span class="{{verdict}}">{{mark}}</span> {{lab}}</h1>
        <p>{{title}}</p>
        <p class="{{verdict}}"><strong>{{conclusion}}</strong></p>
        <table>
        <tr><th>variant</th><th>shows</th><th>verdict</th><th>seconds</th></tr>
        {{#variants}}
        <tr><td><a href="#{{id}}">{{label}}</a></td><td>{{shows}}</td><td class="{{verdict}}">{{mark}} {{verdict}}</td><td class="number">{{seconds}}</td></tr>
        {{/variants}}
        </table>
        {{#variants}}
        <section id="{{id}}">
        <h2><span class="{{verdict}}">{{mark}} {{label}}</span> · {{finding}} · {{seconds}} s</h2>
        {{#seed}}<p>Random faults used seed {{value}}; repeat with <code>--seed {{value}}</code></p>{{/seed}}
        {{#problem}}<div class="problem">{{#lines}}<div>{{line}}</div>{{/lines}}</div>{{/problem}}
        {{#timeline}}
        <svg viewBox="0 0 {{width}} {{height}}" width="{{width}}" height="{{height}}" role="img">
        {{#ticks}}<line class="tick" x1="{{x}}" x2="{{x}}" y1="0" y2="{{bottom}}"/><text x="{{x}}" y="{{y}}">{{label}}</text>
        {{/ticks}}
        {{#lanes}}
        <line class="lane" x1="150" x2="950" y1="{{y}}" y2="{{y}}"/><text x="0" y="{{text}}">{{name}}</text>
        {{#bars}}<g transform="translate(0 {{y}})"><rect class="{{kind}}" x="{{x}}" y="-6" width="{{width}}" height="12"><title>{{title}}</title></rect></g>
        {{/bars}}
        {{#marks}}<g transform="translate(0 {{y}})"><circle class="mark" cx="{{x}}" cy="0" r="4"><title>{{title}}</title></circle><text x="{{labelX}}" y="-3">{{label}}</text></g>
        {{/marks}}
        {{/lanes}}
        </svg>
        {{/timeline}}
        {{#hasTraffic}}
        <table>
        <tr><th>traffic</th><th>kind</th><th>flows</th><th>outcome</th><th>sent</th><th>received</th><th>lost</th><th>longest gap</th></tr>
        {{#traffic}}
        <tr><td>{{name}}</td><td>{{kind}}</td><td class="number">{{flows}}</td><td>{{outcome}}</td><td class="number">{{sent}}</td><td class="number">{{received}}</td><td class="number">{{lost}}</td><td>{{gap}}</td></tr>
        {{/traffic}}
        </table>
        {{/hasTraffic}}
        {{#hasServed}}
        <details><summary>what answers at which port</summary>
        <table>
        {{#served}}
        <tr><td>{{node}}</td><td>{{port}}</td><td>{{server}}</td></tr>
        {{/served}}
        </table>
        </details>
        {{/hasServed}}
        {{#expectations}}
        <details{{#isOpen}} open{{/isOpen}}><summary><span class="{{verdict}}">{{mark}}</span> {{expected}} <span class="id">[{{id}}]</span></summary>
        <div class="seen">{{seen}}</div>
        {{#events}}<div class="seen">{{text}}</div>
        {{/events}}
        {{#frames}}<div class="frames">{{what}} <a href="{{link}}">{{capture}}</a> #{{number}} at {{moment}} {{role}} <span class="id">{{note}}</span></div>
        {{/frames}}
        {{#filter}}<div class="filter">Wireshark: <code>{{text}}</code></div>{{/filter}}
        </details>
        {{/expectations}}
        {{#hasCaptures}}
        <details><summary>Captures</summary>
        <table>
        <tr><th>file</th><th>frames</th><th>dropped</th></tr>
        {{#captures}}
        <tr><td><a href="{{link}}">{{path}}</a></td><td class="number">{{frames}}</td><td class="number{{#hasLost}} lost{{/hasLost}}">{{dropped}}</td></tr>
        {{/captures}}
        </table></details>
        {{/hasCaptures}}
        {{#leftOut}}<div class="seen">{{text}}</div>
        {{/leftOut}}
        </section>
        {{/variants}}
        </body>
        </html>

        """
}
