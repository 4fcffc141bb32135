// Draws the charts of a page. All their figures stand in a table of the same page, from which they are read.
"use strict";

const wanted = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const number = (text) => (text === undefined ? null : Number(text));

/** Return the rows of a table as values; null stands where nothing was counted. */
function rowsOf(table) {
  return [...table.tBodies[0].rows].map(({ dataset }) => ({
    starts: dataset.starts,
    share: number(dataset.share),
    low: number(dataset.low),
    high: number(dataset.high),
    comments: Number(dataset.comments),
    reviews: Number(dataset.reviews),
    few: "few" in dataset,
    recent: "recent" in dataset,
  }));
}

/** Return what changed on our side, each with the index of the point in which it did. */
function markersOf(list, rows) {
  return [...(list?.children ?? [])].map(({ dataset }) => ({
    title: dataset.title,
    index: Math.max(0, rows.findLastIndex((row) => row.starts <= dataset.on)),
  }));
}

/** Return a pattern of slanted lines, which reads as unfinished without any colour. */
function hatch(context) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.strokeStyle = wanted("--line");
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** Hatch the points whose shares will still rise. */
const recentDays = {
  id: "recentDays",
  beforeDatasetsDraw(chart, _, { rows }) {
    const first = rows.findIndex((row) => row.recent);
    if (first < 0) return;
    const { ctx, chartArea: area, scales } = chart;
    const between = first > 0 ? (scales.x.getPixelForValue(first - 1) + scales.x.getPixelForValue(first)) / 2 : area.left;
    ctx.save();
    ctx.fillStyle = hatch(ctx);
    ctx.fillRect(between, area.top, area.right - between, area.bottom - area.top);
    ctx.restore();
  },
};

/** Draw the interval of each share. */
const whiskers = {
  id: "whiskers",
  beforeDatasetsDraw(chart, _, { rows }) {
    const { ctx, scales } = chart;
    ctx.save();
    ctx.lineWidth = 1.5;
    rows.forEach((row, index) => {
      if (row.share === null) return;
      const x = scales.x.getPixelForValue(index);
      const [low, high] = [row.low, row.high].map((value) => scales.y.getPixelForValue(100 * value));
      ctx.strokeStyle = wanted("--soft");
      // Dotted, as in tables: a paler colour could not be seen by everybody.
      ctx.setLineDash(row.few ? [2, 3] : []);
      ctx.beginPath();
      ctx.moveTo(x, low);
      ctx.lineTo(x, high);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      for (const end of [low, high]) {
        ctx.moveTo(x - 3, end);
        ctx.lineTo(x + 3, end);
      }
      ctx.stroke();
    });
    ctx.restore();
  },
};

/** So many markers of the same days are named; more would cover the chart. */
const MARKERS = 3;

/** Write on the ground of the chart, so that a bar or a line behind the text does not hide it. */
function label(ctx, text, x, y, right) {
  const width = ctx.measureText(text).width;
  const left = right ? x : x - width;
  ctx.fillStyle = wanted("--raised");
  ctx.fillRect(left - 2, y - 11, width + 4, 14);
  ctx.fillStyle = wanted("--doubt");
  ctx.fillText(text, left, y);
}

/** Draw a dashed line where something changed on our side. */
const releases = {
  id: "releases",
  afterDatasetsDraw(chart, _, { markers }) {
    const { ctx, chartArea: area, scales } = chart;
    ctx.save();
    ctx.strokeStyle = wanted("--doubt");
    ctx.lineWidth = 1;
    ctx.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    ctx.setLineDash([4, 4]);
    markers.forEach((marker, place) => {
      const x = scales.x.getPixelForValue(marker.index);
      ctx.beginPath();
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.stroke();
      const right = x + 4 + ctx.measureText(marker.title).width < area.right;
      // Markers of the same days stand below each other; the list below the charts has all of them.
      const before = markers.slice(0, place).filter((other) => Math.abs(other.index - marker.index) < 4).length;
      if (before <= MARKERS) {
        label(ctx, before < MARKERS ? marker.title : "…", right ? x + 4 : x - 4, area.top + 12 + 14 * before, right);
      }
    });
    ctx.restore();
  },
};

function shares(rows) {
  return {
    type: "line",
    datasets: [{
      label: "Accepted, strict",
      data: rows.map((row) => (row.share === null ? null : 100 * row.share)),
      borderColor: wanted("--accent"),
      backgroundColor: rows.map((row) => wanted(row.few ? "--raised" : "--accent")),
      pointBorderColor: wanted("--accent"),
      pointRadius: 4,
      // Else half of a point at 0 or 100 % is cut off.
      clip: false,
      spanGaps: true,
      borderWidth: 2,
      tension: 0,
    }],
    plugins: [recentDays, whiskers, releases],
    y: { min: 0, max: 100, ticks: { callback: (value) => `${value}%`, stepSize: 25 } },
    say: (row) => [`${Math.round(100 * row.share)}%, probably ${Math.round(100 * row.low)} to ${Math.round(100 * row.high)}%`],
  };
}

function volume(rows) {
  return {
    type: "bar",
    datasets: [
      { label: "Comments", data: rows.map((row) => row.comments), backgroundColor: wanted("--accent") },
      { label: "Reviews", data: rows.map((row) => row.reviews), backgroundColor: wanted("--soft") },
    ],
    plugins: [recentDays, releases],
    // Room above the highest bar, which is no more than what the axis says.
    y: { beginAtZero: true, grace: "8%", ticks: { precision: 0 } },
    say: null,
  };
}

const KINDS = { shares, volume };

function options(chart, rows, markers) {
  const ink = { color: wanted("--soft"), font: { family: getComputedStyle(document.body).fontFamily } };
  const y = { ...chart.y, ticks: { ...ink, ...chart.y.ticks }, grid: { color: wanted("--line") }, border: { display: false } };
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: calm.matches ? false : { duration: 200 },
    interaction: { mode: "index", intersect: false },
    scales: { x: { ticks: { ...ink, maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false } }, y },
    plugins: {
      recentDays: { rows },
      whiskers: { rows },
      releases: { markers },
      legend: { display: chart.datasets.length > 1, align: "end", labels: { ...ink, boxWidth: 12, boxHeight: 12 } },
      tooltip: chart.say ? { callbacks: { label: (item) => chart.say(rows[item.dataIndex]) } } : {},
    },
  };
}

/** Draw the chart of a figure anew: colours may be others now. */
function draw(figure) {
  const table = document.getElementById(figure.dataset.table);
  const plot = figure.querySelector(".plot");
  const rows = rowsOf(table);
  const markers = markersOf(document.getElementById(figure.dataset.markers), rows);
  const chart = KINDS[figure.dataset.chart](rows);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", plot.dataset.label);
  Chart.getChart(plot.querySelector("canvas"))?.destroy();
  plot.replaceChildren(canvas);
  new Chart(canvas, {
    type: chart.type,
    data: { labels: rows.map((row) => row.starts), datasets: chart.datasets },
    options: options(chart, rows, markers),
    plugins: chart.plugins,
  });
  figure.dataset.drawn = "";
}

const drawAll = () => document.querySelectorAll("figure[data-chart]").forEach(draw);

drawAll();
document.addEventListener("htmx:afterSettle", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

/** What a page of paper leaves for a chart, in pixels: it is laid out after this, and would cut off what is wider. */
const PAPER = [640, 280];
const sizeAll = (...size) => Object.values(Chart.instances).forEach((chart) => chart.resize(...size));
addEventListener("beforeprint", () => sizeAll(...PAPER));
addEventListener("afterprint", () => sizeAll());
