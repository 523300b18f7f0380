/* Tables sort by a press on a heading, the long one has a filter, wide formulas scroll, and the first drawing replays.
   Lessons run in the browser from a server only. */

if (location.protocol === "file:") {
  for (const line of document.querySelectorAll(".run-in-browser"))
    line.textContent = "To run this lesson in the browser, open the book from a server: python -m http.server --directory DIR";
}

function amount(cell) {
  const text = cell.textContent.trim();
  const number = text.replace(/,(?=\d{3})/g, "").match(/^[−-]?\d+(\.\d+)?(e-?\d+)?/);
  return { text, number: number ? Number(number[0].replace("−", "-")) : null };
}

function before(a, b) {
  if (a.number !== null && b.number !== null && a.number !== b.number) return a.number - b.number;
  if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
  return a.text.localeCompare(b.text);
}

function sortBy(table, column, heading) {
  const falling = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: amount(row.cells[column]) }));
  rows.sort((a, b) => (falling ? before(b.key, a.key) : before(a.key, b.key)));
  body.append(...rows.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, column, heading));
    heading.append(button);
  });
}

for (const table of document.querySelectorAll("table.filtered")) {
  const label = document.createElement("label");
  label.className = "filter";
  label.innerHTML = "Show only rows with these words <input type='search'> <output></output>";
  const rows = [...table.tBodies[0].rows];
  const show = () => {
    const words = label.querySelector("input").value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    label.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} runs`;
  };
  label.querySelector("input").addEventListener("input", show);
  table.parentElement.before(label);
  show();
}

for (const again of document.querySelectorAll(".memory .again")) {
  again.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
  again.addEventListener("click", () => {
    for (const step of document.querySelectorAll(".memory .step")) {
      for (const animation of step.getAnimations()) { animation.cancel(); animation.play(); }
    }
  });
}

function widen() {
  for (const formula of document.querySelectorAll("mjx-container:not([display])")) {
    const room = formula.parentElement.closest("p, li, td, th, dd, figcaption, h1, h2, h3, h4");
    if (room && formula.getBoundingClientRect().width > room.clientWidth + 1) formula.classList.add("wide");
  }
  for (const formula of document.querySelectorAll("div.math, mjx-container.wide")) {
    if (formula.scrollWidth > formula.clientWidth + 1) formula.tabIndex = 0;    // the arrow keys scroll it
  }
}

addEventListener("load", () => window.MathJax?.startup?.promise.then(widen));
