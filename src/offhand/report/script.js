// @ts-check
// The page is complete without this: it adds one readout under a clip's strips for touch and
// keyboard, a line across all panels at the pointed time, loops, sorting, downloads, and buttons
// that open or close clips.
(() => {
  "use strict";
  const clock = (s) => {
    const t = Math.round(s * 10), m = Math.floor(t / 600);
    return (m > 59 ? Math.floor(m / 60) + ":" + String(m % 60).padStart(2, "0") : m) +
      ":" + ((t % 600) / 10).toFixed(1).padStart(4, "0");
  };

  for (const panel of document.querySelectorAll("[data-start]")) {
    const start = Number(panel.dataset.start), stop = Number(panel.dataset.stop);
    const line = document.createElement("div");
    line.className = "cursor";
    panel.append(line);
    const out = panel.closest(".own, .clip-body").querySelector(".readout");
    const rest = out.textContent;
    const show = (share, text) => {
      line.style.left = 100 * share + "%";
      line.style.opacity = "1";
      out.textContent = text;
    };
    const labels = (share) => [...panel.querySelectorAll(".strip")].map((strip) => {
      const block = [...strip.querySelectorAll("i")].find((b) => {
        const left = parseFloat(b.style.left);
        return 100 * share >= left && 100 * share < left + parseFloat(b.style.width);
      });
      return strip.dataset.name + ": " + (block ? block.title.split(" · ")[0] : "–");
    });
    panel.addEventListener("pointermove", (event) => {
      const box = panel.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      const time = clock(start + share * (stop - start));
      show(share, [time, ...labels(share)].join("  ·  "));
    });
    panel.addEventListener("pointerleave", () => {
      line.style.opacity = "0";
      out.textContent = rest;
    });
    for (const strip of panel.querySelectorAll(".strip")) {
      let place = -1;
      strip.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const blocks = strip.querySelectorAll("i");
        if (!step || !blocks.length) return;
        event.preventDefault();
        place = Math.min(blocks.length - 1, Math.max(0, place + step));
        const block = blocks[place];
        const middle = parseFloat(block.style.left) + parseFloat(block.style.width) / 2;
        show(middle / 100, strip.dataset.name + ": " + block.title);
      });
      strip.addEventListener("blur", () => {
        line.style.opacity = "0";
        out.textContent = rest;
      });
    }
  }

  // Loops: a thumbnail moves while it is pointed at or focused; a tap starts and stops it.
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  /** @type {Record<string, string>} */
  const loops = JSON.parse(document.getElementById("previews")?.textContent || "{}");
  for (const thumb of /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll(".thumb[data-preview]")
  )) {
    const uri = loops[thumb.dataset.preview ?? ""];
    if (!uri) {
      thumb.classList.add("still");
      continue;
    }
    const picture = thumb.querySelector("svg");
    thumb.tabIndex = 0;
    thumb.setAttribute("role", "button");
    thumb.setAttribute("aria-label", "Play: " + (picture?.getAttribute("aria-label") ?? ""));
    picture?.setAttribute("aria-hidden", "true");
    const stop = () => thumb.querySelector("img")?.remove();
    const play = () => {
      if (thumb.querySelector("img")) return;
      const loop = new Image();
      loop.alt = "";
      loop.src = uri;
      thumb.append(loop);
    };
    if (!still) {
      thumb.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && play());
      thumb.addEventListener("focus", play);
    }
    thumb.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && stop());
    thumb.addEventListener("blur", stop);
    thumb.addEventListener("click", (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === "mouse" && !still) return;
      if (thumb.querySelector("img")) stop();
      else play();
    });
    thumb.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      thumb.click();
    });
  }

  // Tables: sorted by a click on a heading, long ones folded, each to be saved as CSV.
  /** @param {HTMLTableCellElement | undefined} cell */
  const value = (cell) => {
    const text = (cell?.dataset.v ?? cell?.innerText ?? "").trim();
    const found = text.replace(/\u2212/g, "-").match(/^[<>]?\s*(-?[\d.,]+)/);
    return { text, number: found ? Number(found[1].replace(/,/g, "")) : NaN };
  };
  /** @param {HTMLTableElement} table @param {number} column @param {1 | -1} sign */
  const sort = (table, column, sign) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, ...value(row.cells[column]) }));
    const isNumeric = rows.some((entry) => !Number.isNaN(entry.number));
    rows.sort((a, b) => {
      if (!isNumeric) return sign * a.text.localeCompare(b.text, undefined, { numeric: true });
      if (Number.isNaN(a.number) || Number.isNaN(b.number)) {
        return Number(Number.isNaN(a.number)) - Number(Number.isNaN(b.number));
      }
      return sign * (a.number - b.number);
    });
    body.append(...rows.map((entry) => entry.row));
  };
  /** @param {HTMLTableElement} table */
  const csv = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => {
    const text = (cell.innerText || cell.textContent || "").replace(/\s+/g, " ").trim();
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }).join(",")).join("\r\n");
  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || table.classList.contains("gallery")) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
        for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        sort(table, column, sign);
      });
    });
    const tools = document.createElement("p");
    tools.className = "tools";
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = "Save as CSV";
    save.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff" + csv(table)], { type: "text/csv" }));
      link.download = (table.dataset.file || table.className.split(" ")[0] || "table") + ".csv";
      link.click();
      URL.revokeObjectURL(link.href);
    });
    tools.append(save);
    const n = table.tBodies[0].rows.length;
    if (table.classList.contains("long") && n > 15) {
      table.classList.add("folded");
      const fold = document.createElement("button");
      fold.type = "button";
      fold.textContent = "Show all " + n;
      fold.setAttribute("aria-expanded", "false");
      fold.addEventListener("click", () => {
        const isFolded = table.classList.toggle("folded");
        fold.textContent = isFolded ? "Show all " + n : "Show the first 15";
        fold.setAttribute("aria-expanded", String(!isFolded));
      });
      tools.prepend(fold);
    }
    (table.closest(".scroll") ?? table).after(tools);
  }

  const clips = document.querySelectorAll("details.clip");
  const folds = document.querySelectorAll("details.clip, details.modality");
  const closed = new Set();
  addEventListener("beforeprint", () => {
    for (const fold of folds) if (!fold.open) { closed.add(fold); fold.open = true; }
  });
  addEventListener("afterprint", () => {
    for (const fold of closed) fold.open = false;
    closed.clear();
  });
  for (const button of document.querySelectorAll("button[data-open]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const clip of clips) clip.open = button.dataset.open === "yes";
    });
  }
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.matches("details")) target.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
