// SPDX-License-Identifier: Apache-2.0
// The basic rules of accessibility, asked of an open page: returns what is wrong with it, in words.
() => {
  const faults = [];
  const levels = Array.from(document.querySelectorAll("h1, h2, h3, h4")).map((h) => Number(h.tagName[1]));
  if (levels.filter((l) => l === 1).length !== 1) faults.push("not one h1");
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) faults.push(`h${l} after h${levels[i - 1]}`); });
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  if (!document.documentElement.lang) faults.push("no language");
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!field.labels.length && !field.getAttribute("aria-label")) faults.push(`no label: ${field.name}`);
  }
  for (const element of document.querySelectorAll("a, button, summary")) {
    if (!element.textContent.trim() && !element.getAttribute("aria-label")) faults.push(`no name: ${element.outerHTML.slice(0, 80)}`);
  }
  const ids = Array.from(document.querySelectorAll("[id]")).map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => faults.push(`id twice: ${id}`));
  for (const name of ["aria-labelledby", "aria-describedby"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(" ")) {
        if (!document.getElementById(id)) faults.push(`points at nothing: ${id}`);
      }
    }
  }

  const part = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const read = (text) => text.match(/[\d.]+/g).map(Number);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = read(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.trim();
    const e = walker.currentNode.parentElement;
    if (!words || !e.checkVisibility() || e.closest(".usa-sr-only, option")) continue;
    const a = light(read(getComputedStyle(e).color).slice(0, 3));
    const b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${e.tagName} ${e.className} ${words.slice(0, 40)}`);
  }
  return Array.from(new Set(faults));
}
