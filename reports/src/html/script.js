"use strict";
// Filters, anchors and copying. Without this the page is as whole, only longer.
(() => {
  const form = document.getElementById("filter");
  const facets = ["target", "group", "status"];
  const rows = [...document.querySelectorAll("main [data-target], main [data-status]")];
  const sections = [...document.querySelectorAll("main > section")].map((section) => ({
    rows: rows.filter((row) => section.contains(row)),
    count: section.querySelector("h2").appendChild(document.createElement("small")),
    failures: section.id === "failures",
  }));
  // The totals stay; a table of which all rows are hidden goes with them.
  const tables = [...document.querySelectorAll("main .wide")]
    .map((table) => ({ table, rows: rows.filter((row) => table.contains(row)) }))
    .filter(({ rows }) => rows.length);
  const texts = new Map();
  // All failures, also those that are not shown in full; html/failures.rs says how they are written.
  const failed = JSON.parse(document.getElementById("failed")?.textContent ?? '{"texts":[],"causes":[]}');
  const causes = failed.causes.map((cause, index) => {
    const element = document.getElementById(`cause-${index + 1}`);
    const list = cause.rows.flatMap(([name, target, status, held, executor, ...builds]) => {
      const row = { target: failed.texts[target], status: failed.texts[status], group: cause.group, held: failed.texts[held] };
      if (!builds.length) return [{ ...row, name }];
      return builds.flatMap(([build, ...layouts]) =>
        layouts.map((layout) => ({ ...row, name: [name, ...[build, layout, executor].map((text) => failed.texts[text])].join("/") })));
    });
    return { element, list, message: cause.message.toLowerCase(), parts: element && {
      count: element.querySelector(".count"), matches: element.querySelector(".matches"), alike: element.querySelector(".alike") } };
  });
  const all = causes.reduce((sum, cause) => sum + cause.list.length, 0);
  // So many names of failures that match are listed for each cause.
  const listed = 20;

  const text = (row) => {
    if (!texts.has(row)) texts.set(row, (row.id + " " + row.textContent).toLowerCase());
    return texts.get(row);
  };
  // What a row does not have, it is not filtered by.
  const holds = (row, name, value) =>
    !value || row.dataset[name] === undefined || row.dataset[name] === value || row.dataset[name].split(" ").includes(value);

  // The failures that match, whether or not they are shown; the number of them.
  function count(words, chosen) {
    let sum = 0;
    for (const { element, list, message, parts } of causes) {
      const left = words.filter((word) => !message.includes(word));
      const matches = list.filter((failure) => {
        if (!chosen.every(([name, value]) => !value || failure[name] === value)) return false;
        if (!left.length) return true;
        const own = (failure.name + " " + failure.held).toLowerCase();
        const rest = left.filter((word) => !own.includes(word));
        const card = rest.length && document.getElementById(failure.name);
        return !rest.length || (card && rest.every((word) => text(card).includes(word)));
      });
      sum += matches.length;
      if (!element) continue;
      const filtered = matches.length < list.length;
      element.hidden = !matches.length;
      parts.count.textContent = filtered ? `${matches.length} of ${list.length}` : `${list.length}`;
      parts.matches.hidden = !filtered;
      if (parts.alike) parts.alike.hidden = filtered;
      parts.matches.replaceChildren(...(filtered ? matches.slice(0, listed) : []).map((failure) => {
        const item = document.createElement("li");
        item.appendChild(document.createElement("code")).textContent = failure.name;
        return item;
      }));
      if (filtered && matches.length > listed) {
        parts.matches.appendChild(document.createElement("li")).textContent = `and ${matches.length - listed} more`;
      }
      element.shown = new Set(matches.map((failure) => failure.name));
    }
    return sum;
  }

  function apply() {
    const words = form.elements.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = facets.map((name) => [name, form.elements[name].value]);
    const matching = count(words, chosen);
    for (const row of rows) {
      const cause = row.parentElement.closest(".cause");
      row.hidden = cause ? !cause.shown.has(row.id)
        : !(chosen.every(([name, value]) => holds(row, name, value)) && words.every((word) => text(row).includes(word)));
    }
    for (const { rows, count, failures } of sections) {
      const shown = failures ? matching : rows.filter((row) => !row.hidden).length;
      const of = failures ? all : rows.length;
      count.textContent = shown === of ? "" : `${shown} of ${of} ${failures ? "match" : "shown"}`;
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

  // A failure that is not shown in full has its cause, and a configuration that passed its case.
  function find(name) {
    const own = document.getElementById(name);
    if (own) return own;
    const cause = causes.find(({ element, list }) => element && list.some((failure) => failure.name === name));
    if (cause) return cause.element;
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
