"""How the reference page looks, in light and in dark."""

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:light-dark(#0b57d0,#8ab4f8)}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:0 auto;padding:1rem;
display:grid;grid-template-columns:20rem 1fr;gap:0 2rem}
header{grid-column:1/-1}
nav{font-size:.85rem;position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto}
nav ul{list-style:none;padding-left:.5rem}
nav>ul>li{font-weight:600;margin-top:1rem}
nav li li{font-weight:400}
main{min-width:0}
a{color:var(--link)}
details{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}
summary{cursor:pointer}
summary b{display:inline-block;min-width:4.5rem}
code,pre{font:.9em ui-monospace,monospace}
pre{background:var(--soft);padding:.75rem;border-radius:.5rem;overflow:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td{border-top:1px solid var(--line);padding:.35rem .5rem .35rem 0;vertical-align:top;
overflow-wrap:anywhere}
@media(max-width:50rem){body{display:block}nav{position:static;max-height:none}}
"""
