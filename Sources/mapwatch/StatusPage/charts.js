// Curves and the heat map: they are handed samples and draw; they ask nobody.

export const SECONDS = 120;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 120;

/// A curve over the last 120 s with the lines it is judged by; its nodes are made once and then moved.
export class Curve {
  constructor(svg) {
    this.lines = new Map();
    for (const level of ["amber", "red"]) {
      const line = document.createElementNS(SVG, "line");
      line.setAttribute("class", level);
      line.setAttribute("x1", "0");
      line.setAttribute("x2", String(WIDTH));
      this.lines.set(level, svg.appendChild(line));
    }
    this.curve = svg.appendChild(document.createElementNS(SVG, "polyline"));
    this.svg = svg;
  }

  /// `points` are pairs of an age in seconds and a value between 0 and `top`.
  draw(points, top, lines, label) {
    const y = (value) => (HEIGHT - 3 - (HEIGHT - 6) * Math.min(value / top, 1)).toFixed(1);
    this.curve.setAttribute(
      "points", points.map(([age, value]) => `${(WIDTH * (1 - age / SECONDS)).toFixed(1)},${y(value)}`).join(" "));
    for (const [level, line] of this.lines) {
      const value = lines[level];
      line.style.display = value === undefined || value > top ? "none" : "";
      if (value !== undefined) for (const end of ["y1", "y2"]) line.setAttribute(end, y(value));
    }
    this.svg.setAttribute("aria-label", label);
  }
}

// From nothing to the hottest; the first is the panel's own colour.
const RAMPS = {
  light: [[246, 247, 249], [254, 224, 144], [244, 109, 67], [128, 0, 38]],
  dark: [[26, 32, 41], [92, 40, 110], [233, 92, 60], [252, 246, 180]],
};

/// A row a shard, a column a second: the newest is at the right.
export class HeatMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.dark = matchMedia("(prefers-color-scheme: dark)");
  }

  /// `columns` are pairs of an age in seconds and a number a shard. Returns the largest number.
  draw(columns, shards) {
    const { canvas } = this;
    if (canvas.height !== shards) {
      canvas.width = SECONDS;
      canvas.height = shards;
      canvas.style.height = `${Math.min(Math.max(shards * 10, 40), 420)}px`;
    }
    let peak = 0;
    for (const [, values] of columns) for (const value of values) if (value > peak) peak = value;
    const ramp = RAMPS[this.dark.matches ? "dark" : "light"];
    const context = canvas.getContext("2d");
    const image = context.createImageData(SECONDS, shards);
    for (let pixel = 0; pixel < SECONDS * shards; pixel += 1) paint(image.data, pixel, ramp[0]);
    for (const [age, values] of columns) {
      const x = SECONDS - 1 - Math.round(age);
      if (x < 0 || peak === 0) continue;
      for (let shard = 0; shard < shards; shard += 1) {
        paint(image.data, shard * SECONDS + x, colour(ramp, Math.cbrt(values[shard] / peak)));
      }
    }
    context.putImageData(image, 0, 0);
    return peak;
  }

  /// The shard and the age under the pointer.
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * SECONDS);
    const shard = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    return { age: SECONDS - 1 - x, shard: Math.min(Math.max(shard, 0), this.canvas.height - 1) };
  }
}

function paint(data, pixel, [red, green, blue]) {
  data[4 * pixel] = red;
  data[4 * pixel + 1] = green;
  data[4 * pixel + 2] = blue;
  data[4 * pixel + 3] = 255;
}

function colour(ramp, part) {
  const place = part * (ramp.length - 1);
  const index = Math.min(Math.floor(place), ramp.length - 2);
  return ramp[index].map((from, channel) => from + (ramp[index + 1][channel] - from) * (place - index));
}
