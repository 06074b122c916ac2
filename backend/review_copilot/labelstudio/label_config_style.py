"""Colors and spacing of the generated labeling interface. Knows no guideline."""

NOVEL_COLOR = "#ff00ff"
PALETTE = (
    "#886600", "#5533ff", "#ee5599", "#4499aa", "#2288ff", "#bb2200", "#446633", "#884488", "#dd7700", "#006688",
    "#9988bb", "#669900", "#bb0055", "#119977", "#ff5555", "#996655", "#998855", "#6666aa", "#007777", "#9966ff",
    "#dd00aa", "#668855", "#aa6677",
)  # fmt: skip
"""Colors for criteria, in order; NOVEL_COLOR belongs to the same set.

Chosen farthest-first (each new color as far as possible from those chosen before, by CIEDE2000 for normal vision and,
at a third of the weight, for deuteranopia, Vienot 1999) among web colors in steps of 17 whose contrast is at least 3:1
against white and against black (WCAG 2.2, success criterion 1.4.11), so that a box shows on either theme. The first
fifteen and the novel one differ by 17 or more. A label always shows its name, so that color is never the only cue
(WCAG 1.4.1).
"""

STYLE = """
.rc-labels .lsf-labels { margin: 0; }
.rc-labels .lsf-label { margin: 0 5px 5px 0; }
.rc-prompt { max-height: 96px; overflow: auto; margin-bottom: 8px; border-left: 3px solid #888888; padding: 2px 8px; }
.rc-body { display: flex; gap: 14px; align-items: flex-start; margin-top: 6px; }
.rc-image { flex: 1 1 auto; min-width: 0; }
.rc-two { display: flex; gap: 8px; }
.rc-one { flex: 1 1 0; min-width: 0; }
.rc-side { flex: 0 0 350px; min-width: 0; }
.rc-side h4, .rc-prompt h4 {
  margin: 0 0 4px !important; font-size: 14px; line-height: 20px; font-weight: 600;
}
.rc-group { border: 1px solid rgba(128, 128, 128, 0.35); border-radius: 8px; padding: 8px 10px; margin-bottom: 8px; }
.rc-group .lsf-choices { margin: 0; }
.rc-group .lsf-choice { margin: 0; min-width: 0; }
.rc-group .lsf-choice__item, .rc-group .lsf-choice__checkbox { margin: 0; padding: 0; }
.rc-group label { font-weight: 400; line-height: 20px; }
.rc-pills .lsf-choices { display: flex; gap: 6px; }
.rc-pills .lsf-choice { flex: 1 1 0; }
.rc-pills .lsf-choice__item { border: 1px solid rgba(128, 128, 128, 0.45); border-radius: 14px; padding: 3px 8px; }
.rc-pills .lsf-choice__item:has(input:checked) { border-color: #4c5fa9; background: rgba(76, 95, 169, 0.16); }
.rc-pills .lsf-choice__item:has(input:checked) label { font-weight: 600; }
.rc-ticks .lsf-choices { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 6px; }
.rc-ticks { margin-top: 8px; }
.rc-group [data-testid="textarea-regions"], .rc-group .ant-form-item { margin: 0 !important; }
.rc-group .lsf-row { margin: 0; }
.rc-group .lsf-textarea__region { margin: 0; }
.rc-group textarea, .rc-group .lsf-text-area input {
  width: 100%; font-size: 14px; line-height: 19px; padding: 5px 8px;
}
.rc-group .lsf-textarea__region textarea { padding-right: 42px; }
.rc-group .lsf-text-area { margin: 6px 0 0 !important; }
.rc-group .lsf-textarea__region { position: relative; }
.rc-group [data-testid="htx-textbox-content"] { min-height: 30px; padding: 5px 26px 5px 8px; }
.rc-group [data-testid="htx-textbox-content"] * { font-size: 14px; line-height: 19px; }
.rc-group [data-testid="htx-textbox-edit-button"] {
  position: absolute; top: 0; left: 0; width: 100%; height: 100%; padding: 5px; background: none; border: none;
  box-shadow: none; display: flex; justify-content: flex-end; align-items: flex-start; cursor: text;
}
.rc-group [data-testid="htx-textbox-delete-button"] { display: none; }
.rc-rationale [data-testid="htx-textbox-content"], .rc-rationale textarea { min-height: 70px; }
.rc-summary [data-testid="htx-textbox-content"], .rc-summary textarea { min-height: 50px; }
.rc-three .lsf-choices { grid-template-columns: auto auto auto; }
.rc-quiet h4 { font-weight: 400; }
.rc-quiet { opacity: 0.75; }
.rc-definition { margin-bottom: 4px; }
.rc-side .rc-definition h4 { font-weight: 400; font-size: 12px; line-height: 15px; }
.rc-side .rc-keep h4 {
  font-weight: 400; font-size: 12px; line-height: 15px; opacity: 0.75; margin: 3px 0 0 !important;
}
.rc-ticks label, .rc-ticks .lsf-choice__item span { font-size: 12px; line-height: 18px; white-space: nowrap; }
.lsf-outliner-item__ocr:has(input:not([disabled]):not([readonly])) { display: none; }
@media (max-height: 940px) { .rc-side:has(.rc-selected:not([style*="none"])) .rc-feedbacks { display: none; } }
@media (max-height: 820px) {
  .lsf-detailed-region__result { display: none; }
  .rc-group { padding: 4px 8px; margin-bottom: 4px; }
  .rc-side h4 { margin: 0 0 2px !important; }
  .rc-ticks { margin-top: 3px; }
  .rc-ticks .lsf-choices { gap: 0 6px; }
  .rc-labels .lsf-label { font-size: 12px; margin: 0 3px 3px 0; }
  .rc-group textarea, .rc-group .lsf-text-area input { font-size: 13px; line-height: 17px; padding: 3px 8px; }
  .rc-group [data-testid="htx-textbox-content"] { min-height: 24px; padding: 3px 26px 3px 8px; }
  .rc-group [data-testid="htx-textbox-content"] * { font-size: 13px; line-height: 17px; }
  .rc-rationale [data-testid="htx-textbox-content"], .rc-rationale textarea { min-height: 40px; }
  .rc-summary [data-testid="htx-textbox-content"], .rc-summary textarea { min-height: 24px; }
}
"""
"""Spacing for the editor of Label Studio 1.23. In versions with other class names, everything remains usable.

No rule may contain the characters < > &: the editor escapes them, and the rule is lost. A click anywhere on a
drafted text starts editing it: the editor's pencil button covers the text. Two rules reach beyond the labeling
interface: the Regions list offers no field to type in what a draft said, and on low screens the Info panel leaves out
the texts that the interface shows.
"""
