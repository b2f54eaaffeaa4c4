// SPDX-License-Identifier: Apache-2.0
// Moves through a list by j and k; Enter opens the focused link by itself. A letter in data-key goes to a field, or presses a button;
// Ctrl+Enter sends the form that one types in. Every page works without this.
"use strict";
document.addEventListener("keydown", (event) => {
  const rows = Array.from(document.querySelectorAll("[data-keys] a[data-row]"));
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey) && typing.form) {
    typing.form.requestSubmit();
    return;
  }
  const plain = !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
  const meant = plain && /^[a-z]$/.test(event.key) && keyed(document.activeElement, event.key);
  if (meant) {
    if (meant.matches("button")) meant.click();
    else {
      const fold = meant.closest("details");
      if (fold) fold.open = true;
      meant.focus();
    }
    event.preventDefault();
    return;
  }
  const step = { j: 1, k: -1 }[event.key];
  if (!step || !rows.length || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const now = rows.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1);
  rows[next].focus();
  event.preventDefault();
});

// The field or button with this letter: the one in the row that has the focus, else the first of the page.
function keyed(focused, letter) {
  const wanted = `[data-key="${letter}"]`;
  const row = focused && focused.closest("tr, article");
  return (row && row.querySelector(wanted)) || document.querySelector(wanted);
}
