// @ts-check
// The page is complete without this: it adds one readout under a clip's strips for touch and
// keyboard, a line across all panels at the pointed time, loops, sorting, downloads, and buttons
// that open or close clips.
(() => {
  "use strict";

  /** @param {string} selector @returns {HTMLElement[]} */
  const all = (selector, root = /** @type {ParentNode} */ (document)) => [...root.querySelectorAll(selector)]
    .filter((element) => element instanceof HTMLElement);

  /** @param {number} seconds */
  const clock = (seconds) => {
    const ticks = Math.round(seconds * 10), minutes = Math.floor(ticks / 600);
    const head = minutes > 59 ? `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}` : String(minutes);
    return `${head}:${((ticks % 600) / 10).toFixed(1).padStart(4, "0")}`;
  };

  /** A clip's strips and curves: one line across them and one readout. @param {HTMLElement} panel */
  const follow = (panel) => {
    const start = Number(panel.dataset.start), stop = Number(panel.dataset.stop);
    const line = document.createElement("div");
    line.className = "cursor";
    panel.append(line);
    const out = panel.closest(".own, .clip-body")?.querySelector(".readout");
    if (!out) return;
    const rest = out.textContent;
    /** @param {number} share @param {string} text */
    const show = (share, text) => {
      line.style.left = `${100 * share}%`;
      line.style.opacity = "1";
      out.textContent = text;
    };
    const hide = () => {
      line.style.opacity = "0";
      out.textContent = rest;
    };
    const strips = all(".strip", panel);
    /** @param {number} share */
    const labels = (share) => strips.map((strip) => {
      const block = all("i", strip).find((one) => {
        const left = parseFloat(one.style.left);
        return 100 * share >= left && 100 * share < left + parseFloat(one.style.width);
      });
      return `${strip.dataset.name}: ${block ? block.title.split(" · ")[0] : "–"}`;
    });
    panel.addEventListener("pointermove", (event) => {
      const box = panel.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      show(share, [clock(start + share * (stop - start)), ...labels(share)].join("  ·  "));
    });
    panel.addEventListener("pointerleave", hide);
    for (const strip of strips) {
      let place = -1;
      strip.addEventListener("keydown", (event) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        const blocks = all("i", strip);
        if (!step || !blocks.length) return;
        event.preventDefault();
        place = Math.min(blocks.length - 1, Math.max(0, place + step));
        const block = blocks[place];
        strip.querySelector(".pointed")?.classList.remove("pointed");
        block.classList.add("pointed");
        const middle = parseFloat(block.style.left) + parseFloat(block.style.width) / 2;
        show(middle / 100, `${strip.dataset.name}: ${block.title}`);
      });
      strip.addEventListener("blur", () => {
        strip.querySelector(".pointed")?.classList.remove("pointed");
        hide();
      });
    }
  };

  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  /** @type {Record<string, string>} */
  const loops = JSON.parse(document.getElementById("previews")?.textContent || "{}");

  /** A thumbnail moves while it is pointed at or focused; a tap starts and stops it. @param {HTMLElement} thumb */
  const animate = (thumb) => {
    const uri = loops[thumb.dataset.preview ?? ""];
    if (!uri) {
      thumb.classList.add("still");
      return;
    }
    const picture = thumb.querySelector("svg");
    thumb.tabIndex = 0;
    thumb.setAttribute("role", "button");
    thumb.setAttribute("aria-label", `Play: ${picture?.getAttribute("aria-label") ?? ""}`);
    picture?.setAttribute("aria-hidden", "true");
    const stop = () => thumb.querySelector("img")?.remove();
    const play = () => {
      if (thumb.querySelector("img")) return;
      const loop = new Image();
      loop.alt = "";
      loop.src = uri;
      thumb.append(loop);
    };
    if (!isStill) {
      thumb.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") play(); });
      thumb.addEventListener("focus", () => { if (thumb.matches(":focus-visible")) play(); });
    }
    thumb.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") stop(); });
    thumb.addEventListener("blur", stop);
    thumb.addEventListener("click", (event) => {
      const isMouse = event instanceof PointerEvent && event.pointerType === "mouse";
      if (isMouse && !isStill) return;
      if (thumb.querySelector("img")) stop();
      else play();
    });
    thumb.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      thumb.click();
    });
  };

  /** @param {HTMLTableCellElement | undefined} cell */
  const valueOf = (cell) => {
    const text = (cell?.dataset.v ?? cell?.textContent ?? "").trim();
    const found = text.replace(/\u2212/g, "-").match(/^[<>]?\s*(-?[\d.,]+)/);
    return { text, number: found ? Number(found[1].replace(/,/g, "")) : null };
  };

  /** @param {HTMLTableElement} table @param {number} column @param {1 | -1} sign */
  const sort = (table, column, sign) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, ...valueOf(row.cells[column]) }));
    const isNumeric = rows.some((entry) => entry.number !== null);
    rows.sort((a, b) => {
      if (!isNumeric) return sign * a.text.localeCompare(b.text, undefined, { numeric: true });
      if (a.number === null || b.number === null) return Number(a.number === null) - Number(b.number === null);
      return sign * (a.number - b.number);
    });
    body.append(...rows.map((entry) => entry.row));
  };

  /** @param {HTMLTableElement} table */
  const asCsv = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => {
    const shown = (cell.textContent ?? "").replace(/\s+/g, " ").trim();
    const text = shown || cell.querySelector("[aria-label]")?.getAttribute("aria-label") || "";
    return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }).join(",")).join("\r\n");

  /** @param {string} text @param {() => void} act */
  const button = (text, act) => {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = text;
    element.addEventListener("click", act);
    return element;
  };

  /** A field that leaves the rows whose heading holds what is typed. @param {HTMLTableElement} table */
  const finder = (table) => {
    const field = document.createElement("input");
    field.type = "search";
    field.className = "find";
    field.placeholder = "find a clip";
    field.setAttribute("aria-label", "Find a clip in this table");
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      table.classList.toggle("searched", wanted !== "");
      for (const row of table.tBodies[0].rows) {
        row.hidden = !(row.cells[0]?.textContent ?? "").toLowerCase().includes(wanted);
      }
    });
    return field;
  };

  /** Sorted by a click on a heading; long ones folded; each to be saved as CSV. @param {HTMLTableElement} table */
  const equip = (table) => {
    const head = table.tHead?.rows[0];
    if (!head || table.classList.contains("gallery")) return;
    [...head.cells].forEach((cell, column) => {
      const sorter = button("", () => {
        const sign = cell.getAttribute("aria-sort") === "descending" ? 1 : -1;
        for (const other of head.cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        sort(table, column, sign);
      });
      sorter.className = "sort";
      sorter.append(...cell.childNodes);
      cell.append(sorter);
    });
    const tools = document.createElement("p");
    tools.className = "tools";
    const rows = table.tBodies[0].rows.length;
    if (table.classList.contains("long") && rows > 15) {
      table.classList.add("folded");
      const fold = button(`Show all ${rows}`, () => {
        const isFolded = table.classList.toggle("folded");
        fold.textContent = isFolded ? `Show all ${rows}` : "Show the first 15";
        fold.setAttribute("aria-expanded", String(!isFolded));
      });
      fold.setAttribute("aria-expanded", "false");
      tools.append(fold);
      if (table.tBodies[0].querySelector("th a.name")) tools.append(finder(table));
    }
    tools.append(button("Save as CSV", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`\ufeff${asCsv(table)}`], { type: "text/csv" }));
      link.download = `${table.dataset.file || table.className.split(" ")[0] || "table"}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    }));
    (table.closest(".scroll") ?? table).after(tools);
  };

  /** @returns {HTMLDetailsElement[]} */
  const folds = () => [...document.querySelectorAll("details.clip, details.modality, details.map")]
    .filter((element) => element instanceof HTMLDetailsElement);

  const equipAll = () => {
    all("[data-start]").forEach(follow);
    all(".thumb[data-preview]").forEach(animate);
    for (const table of document.querySelectorAll("main table")) {
      if (table instanceof HTMLTableElement) equip(table);
    }
    for (const opener of all("button[data-open]")) {
      opener.hidden = false;
      opener.addEventListener("click", () => {
        for (const fold of folds()) {
          if (fold.matches(".clip")) fold.open = opener.dataset.open === "yes";
        }
      });
    }
  };

  /** @type {Set<HTMLDetailsElement>} */
  const closed = new Set();
  addEventListener("beforeprint", () => {
    for (const fold of folds()) if (!fold.open) { closed.add(fold); fold.open = true; }
  });
  addEventListener("afterprint", () => {
    for (const fold of closed) fold.open = false;
    closed.clear();
  });
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("offhand:replaced", equipAll);
  equipAll();
  reveal();
})();
