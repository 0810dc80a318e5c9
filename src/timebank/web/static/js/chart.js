// Draws each chart from the table behind it, once it comes into view; the table is closed then, and
// opens again for whoever wants it. Without this script the tables stay open.
const colours = ["--red", "--ink-soft", "--green", "--amber", "--step-4", "--edge"];
const charts = [];

function read(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const heads = [...figure.querySelectorAll("thead th")].map((each) => each.textContent.trim());
  const columns = heads.slice(1).map((_, at) =>
    rows.map((row) => {
      const value = row.cells[at + 1].dataset.value;
      return value === "" ? null : Number(value);
    }),
  );
  return {
    heads,
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    marks: rows.map((row) => row.dataset.mark || ""),
    columns,
  };
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw(chart) {
  const { uPlot, figure, place, data } = chart;
  const unit = figure.dataset.unit;
  const face = getComputedStyle(document.body).fontFamily;
  // Large type and a wall's screen make everything larger, the chart's own words too.
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const axis = {
    stroke: token("--ink-soft"),
    font: `${Math.round(12 * scale)}px ${face}`,
    grid: { stroke: token("--line"), width: 1 },
    ticks: { show: false },
  };
  const isShare = unit === "%";
  const say = (value) => (value == null ? "–" : value.toLocaleString() + (isShare ? " %" : ""));
  chart.plot?.destroy();
  chart.plot = new uPlot(
    {
      width: Math.max(place.clientWidth, 240),
      height: Math.round((innerWidth < 600 ? 220 : 300) * scale),
      cursor: { y: false, points: { size: 9 } },
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, isShare ? Math.max(high, 10) : high * 1.08 || 1] } },
      axes: [
        { ...axis, size: Math.round(40 * scale), grid: { show: false }, incrs: [1, 2, 3, 6], values: (_, ticks) => ticks.map((at) => data.labels[at] ?? "") },
        { ...axis, size: Math.round(56 * scale), values: (_, ticks) => ticks.map((value) => value.toLocaleString()) },
      ],
      series: [
        { label: data.heads[0], value: (_, at) => (at == null ? "–" : data.labels[at] + (data.marks[at] ? ` · ${data.marks[at]}` : "")) },
        ...data.columns.map((_, at) => ({
          label: data.heads[at + 1],
          stroke: token(colours[at % colours.length]),
          width: at && "against" in figure.dataset ? 2 : 3,
          dash: at === 1 && "against" in figure.dataset ? [6, 5] : undefined,
          points: { show: false },
          spanGaps: false,
          value: (_, value) => say(value),
        })),
      ],
      hooks: {
        draw: [
          (plot) => {
            // Notes stand as small flags at the top of their month.
            const { ctx } = plot;
            ctx.save();
            ctx.fillStyle = token("--amber");
            data.marks.forEach((mark, at) => {
              if (!mark) return;
              const x = plot.valToPos(at, "x", true);
              ctx.fillRect(x - 1, plot.bbox.top, 2, plot.bbox.height);
              ctx.fillRect(x, plot.bbox.top, 9, 7);
            });
            ctx.restore();
          },
        ],
      },
    },
    [data.labels.map((_, at) => at), ...data.columns],
    place,
  );
  const last = data.columns[0]?.reduce((found, value, at) => (value == null ? found : at), 0) ?? 0;
  chart.at = last;
  moveTo(chart, last);
}

function moveTo(chart, at) {
  chart.at = Math.min(Math.max(at, 0), chart.data.labels.length - 1);
  chart.plot.setCursor({ left: chart.plot.valToPos(chart.at, "x"), top: 10 });
}

async function show(figure) {
  if (!document.querySelector(`link[href="${figure.dataset.style}"]`)) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = figure.dataset.style;
    document.head.append(link);
    await new Promise((done) => {
      link.onload = done;
      link.onerror = done;
    });
  }
  const { uPlot } = await import(figure.dataset.module);
  const place = figure.querySelector(".chart-drawing");
  place.hidden = false;
  const chart = { uPlot, figure, place, data: read(figure), plot: null, at: 0 };
  charts.push(chart);
  draw(chart);
  figure.querySelector(".chart-table").open = false;
  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moveTo(chart, chart.at + step);
  });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - width) < 2) return;
    width = place.clientWidth;
    draw(chart);
  }).observe(place);
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      show(target);
    }
  },
  { rootMargin: "200px" },
);
for (const figure of document.querySelectorAll("[data-chart]")) {
  if (figure.querySelector("tbody tr")) seen.observe(figure);
}

// Colours come from the page: drawn again when they change, and in ink on paper.
const again = () => charts.forEach(draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
matchMedia("print").addEventListener("change", again);
