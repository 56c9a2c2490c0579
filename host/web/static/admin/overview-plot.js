/* SPDX-License-Identifier: ISC */
/* One plot over time with units, in light and dark, and the same numbers as a table. */
import { html, useEffect, useRef, useState } from "./html.js";
import { useStyle } from "./ui.js";
import { t } from "./words.js";

const HEIGHT = 200;

function coloursOf(element) {
  const style = getComputedStyle(element);
  return (variable) => style.getPropertyValue(variable).trim();
}

/* Bars lie on each other: each series is drawn with those below it added, the highest first. */
function stacked(series) {
  const sums = [];
  series.forEach(({ values }, i) => {
    sums.push(values.map((value, x) => (value ?? 0) + (i > 0 ? sums[i - 1][x] : 0)));
  });
  return sums;
}

function axesOf({ step_s, show }, colour) {
  const base = {
    stroke: colour("--muted"), font: "11px system-ui",
    grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 },
  };
  const pad = (number) => String(number).padStart(2, "0");
  const time = (seconds) => {
    const date = new Date(seconds * 1000);
    return step_s < 86400 ? `${pad(date.getUTCHours())}:00`
      : `${date.getUTCDate()}.${date.getUTCMonth() + 1}.`;
  };
  return [
    { ...base, grid: { show: false }, values: (_, splits) => splits.map(time) },
    { ...base, size: 60, values: (_, splits) => splits.map(show) },
  ];
}

function optionsOf(uPlot, plot, colour, width) {
  const { series, bars, max } = plot;
  const shapes = series.map(({ label, colour: variable }) => ({
    label, stroke: colour(variable), width: bars ? 0 : 2, spanGaps: true,
    fill: bars ? colour(variable) : undefined,
    paths: bars ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined,
    points: { show: !bars, size: 6, fill: colour(variable) },
  }));
  return {
    width, height: HEIGHT, cursor: { show: false }, legend: { show: false }, tzDate: (seconds) =>
      uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: {
      x: { time: true, range: plot.range },
      y: { range: (_, low, high) => [0, max ?? (high || 1) * 1.1] },
    },
    axes: axesOf(plot, colour),
    series: [{}, ...(bars ? shapes.reverse() : shapes)],
  };
}

function dataOf({ times, series, bars }) {
  return [times, ...(bars ? stacked(series).reverse() : series.map(({ values }) => values))];
}

function Legend({ series }) {
  return html`<ul class="plot-legend">${series.map(({ label, colour }) => html`<li>
    <span class="plot-key" style=${{ background: `var(${colour})` }}></span>${label}</li>`)}</ul>`;
}

function Numbers({ plot }) {
  const { title, times, series, show } = plot;
  return html`<details><summary>${t("wf.table")}</summary>
    <div class="scroll" tabindex="0" role="region" aria-label=${
      t("over.as_table", { title })}><table>
      <thead><tr><th scope="col">${t("over.utc")}</th>${series.map(({ label }) =>
        html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
      <tbody>${times.map((seconds, i) => html`<tr><th scope="row">${
        new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")}</th>${
        series.map(({ values }) => html`<td class="number">${show(values[i])}</td>`)}</tr>`)}</tbody>
    </table></div></details>`;
}

/*
 * plot: { title, times (seconds), step_s, range, max, bars, show, series }, of which a series is
 * { label, colour, values }; `show` gives a number its unit. `summary` is what a screen reader hears instead of the picture.
 */
export function Plot({ plot, summary }) {
  useStyle("/static/vendor/uplot.css");
  const place = useRef();
  const [uPlot, setLibrary] = useState(null);
  useEffect(() => {
    import("/static/vendor/uplot.js").then((module) => setLibrary(() => module.default));
  }, []);
  useEffect(() => {
    if (!uPlot) {
      return undefined;
    }
    const area = place.current; /* the reference is gone before the last events are */
    let chart = null;
    const draw = () => {
      chart?.destroy();
      const options = optionsOf(uPlot, plot, coloursOf(area), area.clientWidth);
      chart = new uPlot(options, dataOf(plot), area);
    };
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: area.clientWidth, height: HEIGHT }));
    draw();
    observer.observe(area);
    window.addEventListener("themechange", draw);
    return () => {
      observer.disconnect();
      window.removeEventListener("themechange", draw);
      chart.destroy();
    };
  }, [uPlot, plot]);
  return html`<figure class="plot">
    <div class="plot-area" ref=${place} role="img" aria-label="${plot.title}: ${summary}"></div>
    <figcaption><${Legend} series=${plot.series} /></figcaption>
    <${Numbers} plot=${plot} />
  </figure>`;
}
