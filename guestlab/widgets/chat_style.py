"""How a chat looks: what it adds to the style sheet of `theme.py`, whose variables it uses."""

from __future__ import annotations

__all__ = ["CHAT_STYLE"]

CHAT_STYLE = """<style>
.gl-chat { display: flex; flex-direction: row; flex-wrap: wrap; gap: 16px; align-items: stretch; overflow: visible;
  width: 100%; }
.gl-chat > .gl-talk { flex: 3 1 400px; min-width: 0; width: auto; overflow: visible; }
.gl-chat > .gl-beside { flex: 2.4 1 360px; min-width: 0; width: auto; overflow: visible; }
.gl-scroll { display: flex; flex-direction: column-reverse; flex: 0 1 auto; height: 440px; min-height: 200px;
  resize: vertical; overflow-x: hidden; overflow-y: auto; border: 1px solid var(--gl-line); border-radius: 8px;
  background: var(--gl-raised); overscroll-behavior: contain; }
.gl-scroll > .gl-lines { overflow: visible; flex: 0 0 auto; width: 100%; padding: 10px 14px 12px;
  box-sizing: border-box; margin: 0; }
.gl-lines .widget-html, .gl-lines .widget-html-content { width: 100%; min-width: 0; display: block; }
.gl-msg { display: flex; flex-direction: column; align-items: flex-start; margin: 0 18% 10px 0; min-width: 0; }
.gl-by-guest { align-items: flex-end; margin: 0 0 10px 18%; }
.gl-who { font-size: 12px; color: var(--gl-quiet); margin: 0 4px 2px; overflow-wrap: anywhere; }
.gl-nr { opacity: .85; }
.gl-bubble { border: 1px solid var(--gl-line); background: var(--gl-ground); border-radius: 4px 14px 14px 14px;
  padding: 7px 12px; max-width: 100%; min-width: 0; box-sizing: border-box; overflow-wrap: anywhere; }
.gl-by-guest .gl-bubble { border-radius: 14px 4px 14px 14px; border-color: color-mix(in srgb,
  var(--jp-brand-color1, #1565c0) 40%, transparent); background: color-mix(in srgb,
  var(--jp-brand-color1, #1565c0) 13%, var(--gl-ground)); }
.gl-by-agent .gl-bubble { border-left: 3px solid var(--gl-done); }
.gl-words { white-space: pre-wrap; }
.gl-held { display: flex; flex-wrap: wrap; gap: 8px; margin: 6px 0 2px; }
.gl-group { flex: 1 1 150px; min-width: 0; max-width: 100%; box-sizing: border-box; border: 1px solid var(--gl-line);
  border-radius: 8px; padding: 6px 10px; overflow-wrap: anywhere; }
.gl-compact { border: 0; padding: 0; }
.gl-kind { font-size: 11.5px; letter-spacing: .03em; color: var(--gl-quiet); }
.gl-root .gl-group ul { list-style: none; margin: 3px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 3px 6px; }
.gl-root .gl-group li { margin: 0; max-width: 100%; min-width: 0; }
.gl-piece-choice { border: 1px solid var(--gl-line); border-radius: 999px; padding: 0 9px; font-size: 12.5px; }
.gl-piece-question, .gl-piece-file, .gl-piece-answer, .gl-piece-link, .gl-piece-said { flex: 1 1 100%; }
.gl-marks { font-size: 12px; margin: 2px 4px 0; overflow-wrap: anywhere; }
.gl-sys { text-align: center; font-size: 12.5px; margin: 2px 4% 10px; overflow-wrap: anywhere; }
.gl-sys time { color: var(--gl-quiet); }
.gl-earlier { text-align: center; font-size: 12.5px; color: var(--gl-quiet); margin: 0 0 10px; }
.gl-typing { color: var(--gl-quiet); font-style: italic; margin: 0 4px; min-height: 1.5em; }
.gl-bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 0 0 8px; }
.gl-send { align-items: center; gap: 6px; margin-top: 8px; flex-wrap: wrap; overflow: visible; }
.gl-send .gl-say { flex: 1 1 220px; width: auto; min-width: 0; }
.gl-send .gl-say label { width: auto; min-width: 0; }
.gl-send .widget-upload, .gl-send .jupyter-button { width: auto; }
.gl-choices { border: 1px solid color-mix(in srgb, var(--jp-brand-color1, #1565c0) 45%, transparent);
  border-radius: 8px; padding: 8px 12px; margin: 8px 0 0; max-height: 420px; overflow: auto; background: var(--gl-ground); }
.gl-choices .widget-hbox, .gl-choices .widget-vbox { overflow: visible; }
.gl-choices .gl-choice { border-radius: 999px; border: 1px solid color-mix(in srgb, var(--gl-running) 60%, transparent);
  background: var(--gl-ground); color: var(--gl-running); max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.gl-choices .widget-checkbox, .gl-choices .widget-radio, .gl-choices .widget-radio-box { width: auto; max-width: 100%;
  height: auto; }
.gl-choices .widget-radio-box label { width: auto; height: auto; line-height: 1.6; white-space: normal;
  overflow-wrap: anywhere; }
.gl-choices .widget-checkbox label, .gl-choices .widget-label-basic { width: auto; white-space: normal;
  overflow-wrap: anywhere; height: auto; line-height: 1.6; }
.gl-cards { align-items: stretch; } .gl-card-offer { border: 1px solid var(--gl-line); border-radius: 8px;
  padding: 8px 10px; flex: 1 1 150px; min-width: 0; max-width: 100%; }
.gl-root .gl-choices .widget-html-content, .gl-root .gl-inspect .widget-html-content { overflow-wrap: anywhere; min-width: 0; }
.gl-page { border-top: 1px solid var(--gl-line); padding-top: 6px; margin-top: 6px; }
.gl-beside .lm-TabPanel-tabContents, .gl-beside .jupyter-widget-tab-contents { overflow: visible; }
.gl-inspect, .gl-compose { overflow: visible; width: 100%; }
.gl-inspect .widget-select, .gl-compose .widget-textarea, .gl-compose .widget-dropdown, .gl-compose .widget-text {
  width: 100%; margin-left: 0; margin-right: 0; box-sizing: border-box; }
.gl-inspect .widget-select { flex-direction: column; align-items: stretch; height: auto; }
.gl-inspect .widget-select > label, .gl-compose .widget-textarea > label { width: auto; text-align: left; }
.gl-inspect .widget-select > select { font: 12.5px/1.5 var(--gl-mono); width: 100%; height: 170px; }
.gl-compose .widget-textarea { flex-direction: column; align-items: stretch; height: auto; }
.gl-compose .widget-textarea > textarea { width: 100%; box-sizing: border-box; }
.gl-root .gl-inspect table.gl-table, .gl-root .gl-compose table.gl-table { width: 100%; table-layout: auto; }
.gl-root .gl-inspect td, .gl-root .gl-compose td { overflow-wrap: anywhere; }
</style>"""
"""Goes once into a chat, after the style sheet of all views."""
