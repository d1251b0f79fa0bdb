// How it looks. A sheet that is constructed needs no leave of the page's policy, and nothing of the page's own style reaches in here.

const CSS = `
:host{all:initial}
*{box-sizing:border-box}
[hidden]{display:none !important}
.root{
  --accent:var(--offhook-accent,var(--set,#1d5bbf));
  --on-accent:var(--offhook-accent-text,var(--on-set,#fff));
  --back:#fff;--text:#1b1f24;--dim:#57606a;--soft:#eff2f6;--edge:#d5dae1;--alert:#b3261e;--note:#fff4d6;
  color:var(--text);
  font:15px/1.45 var(--offhook-font,system-ui,sans-serif);
  position:fixed;inset-block-end:20px;inset-inline-end:20px;z-index:var(--offhook-z,2147483000);
}
.root.start{inset-inline:20px auto}
.root.dark{--back:#17191d;--text:#e9ebee;--dim:#a8b0ba;--soft:#282c33;--edge:#3b414a;--alert:#ff9a90;--note:#3c3311;color-scheme:dark}
button,input,textarea{font:inherit;color:inherit}
button{border:0;background:none;padding:0;cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.dark :focus-visible{outline-color:var(--text)}
svg{inline-size:24px;block-size:24px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;display:block}
.launcher{inline-size:56px;block-size:56px;border-radius:50%;background:var(--accent);color:var(--on-accent);display:grid;place-items:center;box-shadow:0 4px 16px #0004;position:relative;margin-inline-start:auto}
.start .launcher{margin-inline:0 auto}
.launcher:focus-visible{outline-offset:3px}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;padding-inline:6px;border-radius:11px;background:#b3261e;color:#fff;font-size:13px;line-height:22px;font-weight:600;text-align:center}
.panel{display:flex;flex-direction:column;inline-size:376px;block-size:min(600px,calc(100vh - 116px));margin-block-end:16px;background:var(--back);border:1px solid var(--edge);border-radius:var(--offhook-radius,14px);box-shadow:0 8px 40px #0003;overflow:hidden}
header{display:flex;align-items:center;gap:12px;padding:14px 16px;background:var(--accent);color:var(--on-accent)}
header :focus-visible,.dark header :focus-visible{outline-color:currentColor}
.who{flex:1;min-inline-size:0;overflow-wrap:anywhere}
h2{margin:0;font-size:16px;font-weight:600;line-height:1.3}
.fact{font-size:13px}
.end{font-size:13px;padding:4px 10px;border:1px solid;border-radius:8px;white-space:nowrap}
.banner{padding:8px 16px;font-size:13px;background:var(--note);border-block-end:1px solid var(--edge)}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:4px}
.log:focus-visible{outline-offset:-3px}
.hello{margin:auto;padding:16px;text-align:center;font-size:17px;white-space:pre-line}
.list{display:flex;flex-direction:column;gap:4px}
.message{max-inline-size:84%;align-self:flex-start;margin-block-start:4px}
.message.mine{align-self:flex-end}
.text{padding:8px 12px;border-radius:14px;background:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate;inline-size:fit-content}
.mine .text{background:var(--accent);color:var(--on-accent);margin-inline-start:auto}
.pending .text{background:none;color:inherit;box-shadow:inset 0 0 0 1px var(--dim)}
.refused .text{box-shadow:inset 0 0 0 1px var(--alert)}
.under{font-size:12px;color:var(--dim);padding:2px 4px 0}
.mine .under{text-align:end}
.refused .under{color:var(--alert)}
.author{font-size:12px;font-weight:600;color:var(--dim);padding:4px 4px 2px}
.under button,.event button{color:var(--text);text-decoration:underline;margin-inline-start:10px;padding-block:4px}
.event,.message.system{align-self:center;text-align:center;font-size:13px;color:var(--dim);padding-block:6px}
.system .text{background:none;padding:0;margin-inline:auto}
.draft .text{opacity:.75}
.typing{padding:0 20px 8px;font-size:13px;color:var(--dim)}
form{border-block-start:1px solid var(--edge);padding:10px 12px;display:flex;flex-direction:column;gap:8px}
label{display:block;font-size:13px;color:var(--dim)}
input{display:block;inline-size:100%;min-block-size:42px;margin-block-start:3px;font-size:15px}
input,textarea{border:1px solid #7d8793;border-radius:10px;background:var(--back);color:var(--text);padding:8px 12px}
.row{display:flex;gap:8px;align-items:end}
textarea{flex:1;min-inline-size:0;resize:none;block-size:42px;max-block-size:130px;field-sizing:content;min-block-size:42px;line-height:24px}
textarea::placeholder{color:var(--dim);opacity:1}
.send,.new{background:var(--accent);color:var(--on-accent);border-radius:10px;min-block-size:42px;padding-inline:10px;flex:none}
.new{padding-inline:20px;margin:12px;font-weight:600}
[dir=rtl] .send svg{transform:scaleX(-1)}
@media (max-width:480px){
  .root.open{inset:0}
  .open .launcher{display:none}
  .panel{inline-size:100%;block-size:100%;margin:0;border:0;border-radius:0}
  input,textarea{font-size:16px}
}
@media (prefers-reduced-motion:no-preference){
  .panel{animation:rise .14s ease-out}
  @keyframes rise{from{transform:translateY(8px);opacity:.4}}
}
`;

/** @type {CSSStyleSheet | undefined} */
let made;

export function sheet() {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(CSS);
  }
  return made;
}
