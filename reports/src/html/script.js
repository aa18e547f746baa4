"use strict";
// Filters, anchors and copying. Without this the page is as whole, only longer.
(() => {
  const form = document.getElementById("filter");
  const facets = ["target", "group", "status"];
  const rows = [...document.querySelectorAll("main [data-target], main [data-status]")];
  const sections = [...document.querySelectorAll("main > section")].map((section) => ({
    rows: rows.filter((row) => section.contains(row)),
    count: section.querySelector("h2").appendChild(document.createElement("small")),
  }));
  // The totals stay; a table of which all rows are hidden goes with them.
  const tables = [...document.querySelectorAll("main .wide")]
    .map((table) => ({ table, rows: rows.filter((row) => table.contains(row)) }))
    .filter(({ rows }) => rows.length);
  const texts = new Map();

  const text = (row) => {
    if (!texts.has(row)) texts.set(row, (row.id + " " + row.textContent).toLowerCase());
    return texts.get(row);
  };
  // What a row does not have, it is not filtered by.
  const holds = (row, name, value) =>
    !value || row.dataset[name] === undefined || row.dataset[name] === value || row.dataset[name].split(" ").includes(value);

  function apply() {
    const words = form.elements.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = facets.map((name) => [name, form.elements[name].value]);
    for (const row of rows) {
      row.hidden = !(chosen.every(([name, value]) => holds(row, name, value)) && words.every((word) => text(row).includes(word)));
    }
    for (const { rows, count } of sections) {
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
    }
    for (const { table, rows } of tables) table.hidden = rows.every((row) => row.hidden);
  }

  function remember() {
    const chosen = new URLSearchParams();
    for (const name of ["filter", ...facets]) {
      if (form.elements[name].value) chosen.set(name, form.elements[name].value);
    }
    history.replaceState(null, "", "#" + chosen);
    apply();
  }

  // A configuration that passed has no element of its own: its case has.
  function find(name) {
    for (let id = name; id; id = id.slice(0, Math.max(0, id.lastIndexOf("/")))) {
      const found = document.getElementById(id);
      if (found) return found;
    }
    return null;
  }

  function follow() {
    document.querySelectorAll(".found").forEach((element) => element.classList.remove("found"));
    const fragment = location.hash.slice(1);
    if (/^(filter|target|group|status)=/.test(fragment)) {
      const wanted = new URLSearchParams(fragment);
      for (const name of ["filter", ...facets]) form.elements[name].value = wanted.get(name) ?? "";
      apply();
      return;
    }
    let name = fragment;
    try { name = decodeURIComponent(fragment); } catch { /* a stray % stands for itself */ }
    const found = find(name);
    if (!found) return;
    if (found.closest("[hidden]")) {
      form.reset();
      apply();
    }
    for (let at = found; at; at = at.parentElement) if (at.localName === "details") at.open = true;
    const inner = found.localName === "tr" && found.querySelector("td:first-child > details");
    if (inner) inner.open = true;
    if (name.includes("/")) found.classList.add("found");
    found.scrollIntoView();
  }

  function copyable(pre) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(pre);
      // Works from a file too, where the clipboard's own interface may not.
      button.textContent = document.execCommand("copy") ? "copied" : "selected";
    });
    pre.after(button);
  }

  document.querySelectorAll("pre.copy").forEach(copyable);
  form.hidden = false;
  form.addEventListener("input", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(remember));
  addEventListener("hashchange", follow);
  follow();
})();
