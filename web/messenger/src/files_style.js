// How files look: those that are added, over the field, and those in messages.

export const FILES_CSS = `
.panel{position:relative}
.text:empty{display:none}
.clip{color:var(--dim);min-block-size:42px;padding-inline:4px;border-radius:10px;flex:none}
.chips,.hint{margin:0;padding:0;list-style:none}
.chips{display:flex;flex-direction:column;gap:6px;max-block-size:190px;overflow-y:auto}
.chip{display:flex;align-items:center;gap:8px;padding:4px 6px;border:1px solid var(--edge);border-radius:10px;background:var(--soft)}
.chip.refused{border-color:var(--alert)}
.chip .thumb{inline-size:36px;block-size:36px;flex:none;border-radius:6px;object-fit:cover;display:grid;place-items:center;color:var(--dim)}
.chip .about{flex:1;min-inline-size:0;font-size:13px;line-height:1.35}
.chip .about>*{display:block}
.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.chip .how{font-size:12px;color:var(--dim)}
.chip.refused .how{color:var(--alert)}
.chip progress{inline-size:100%;block-size:4px;margin-block-start:3px;accent-color:var(--accent)}
.dark .chip progress{accent-color:#9ec1ff}
.chip button{padding:5px;border-radius:8px;flex:none}
.chip button svg,.file svg{inline-size:18px;block-size:18px}
.hint{font-size:12px;color:var(--dim)}
.drop{position:absolute;inset:8px;z-index:1;display:grid;place-items:center;border:2px dashed var(--accent);border-radius:10px;background:var(--back);opacity:.94;font-weight:600;pointer-events:none}
.files{display:flex;flex-wrap:wrap;gap:4px;margin-block-start:4px;align-items:flex-start}
.mine .files{justify-content:flex-end}
.pic{display:block;max-inline-size:100%;border-radius:12px;overflow:hidden;background:var(--soft);box-shadow:inset 0 0 0 1px var(--edge)}
.pic img{display:block;inline-size:100%;block-size:100%;object-fit:cover}
.pic img:not([src]){visibility:hidden}
.file{display:flex;align-items:center;gap:8px;max-inline-size:100%;padding:8px 10px;border:1px solid var(--edge);border-radius:12px;background:var(--back);text-align:start;font-size:13px}
.file .about{min-inline-size:0}
.file .about>*{display:block}
.file .how{font-size:12px;color:var(--dim)}
.file.lost .how{color:var(--alert)}
.file[aria-busy=true]{opacity:.6}
.large{border:0;padding:0;max-inline-size:100vw;max-block-size:100vh;inline-size:100vw;block-size:100vh;background:#000d;color:#fff;display:flex;flex-direction:column}
.large::backdrop{background:#000a}
.large .bar{display:flex;align-items:center;gap:12px;padding:10px 16px;font-size:14px}
.large .bar .name{flex:1;min-inline-size:0}
.large .bar button{padding:6px;border-radius:8px}
.large :focus-visible,.dark .large :focus-visible{outline-color:#fff}
.large .space{flex:1;min-block-size:0;display:grid;place-items:center;padding:0 16px 16px}
.large img{max-inline-size:100%;max-block-size:100%;object-fit:contain;min-inline-size:0;min-block-size:0}
.large img:not([src]){visibility:hidden}
`;
