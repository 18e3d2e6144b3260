// The page is complete without this: it adds one readout under a clip's strips for touch and
// keyboard, a line across all panels at the pointed time, and buttons that open or close clips.
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
