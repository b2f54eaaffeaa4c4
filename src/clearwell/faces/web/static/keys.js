// SPDX-License-Identifier: Apache-2.0
// Moves through a list of cases by j and k; Enter opens the focused link by itself. The page works without this.
"use strict";
document.addEventListener("keydown", (event) => {
  const rows = Array.from(document.querySelectorAll("[data-keys] a[data-row]"));
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const step = { j: 1, k: -1 }[event.key];
  if (!step || !rows.length || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const now = rows.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1);
  rows[next].focus();
  event.preventDefault();
});
