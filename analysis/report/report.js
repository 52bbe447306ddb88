// SPDX-License-Identifier: GPL-3.0-or-later
// report.js - draws the figures of a report from its data, to be zoomed, moved and read off.
// What a figure is: analysis/figure/figure.h. Nothing is loaded from anywhere.
'use strict';
(() => {
  const NS = 'http://www.w3.org/2000/svg';
  const WIDTH = 720, LEFT = 78, RIGHT = 26, PANEL = 250, SINGLE = 330, GAP = 26, FOOT = 52;
  const TEXT = 13, EVENT_LINES = 4, REACH = 40; // REACH: pixels within which a point is read off
  const NEAR = 1e-9;

  function node(name, attributes, parent, text) {
    const made = document.createElementNS(NS, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function html(name, className, parent, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  // A number as it is read off: five digits, no more.
  function format(value) {
    if (value === 0) return '0';
    const size = Math.abs(value);
    if (size >= 1e7 || size < 1e-4) return value.toExponential(3);
    return String(Number(value.toPrecision(5)));
  }

  // Scales: a value to a pixel and back. `span` is [from, to] in values, `room` in pixels.
  const bend = (axis, value) => axis.log ? Math.log10(value) : value;
  const unbend = (axis, value) => axis.log ? Math.pow(10, value) : value;

  function toPixel(axis, value) {
    const [a, b] = axis.view.map((end) => bend(axis, end));
    const [from, to] = axis.room;
    return from + (bend(axis, value) - a) / (b - a) * (to - from);
  }

  function toValue(axis, pixel) {
    const [a, b] = axis.view.map((end) => bend(axis, end));
    const [from, to] = axis.room;
    return unbend(axis, a + (pixel - from) / (to - from) * (b - a));
  }

  // Ticks at 1, 2 or 5 times a power of ten.
  function ticksOf(axis, count) {
    const [from, to] = axis.view;
    if (axis.ticks.length > 0 && !axis.zoomed) return axis.ticks;
    const named = axis.ticks.filter((tick) => tick.at >= from && tick.at <= to);
    if (axis.names || named.length > 1) return named;
    const ticks = [];
    if (axis.log && Math.log10(to / from) > 1) {
      const each = Math.log10(to / from) > 4 ? [1] : [1, 2, 5];
      for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power++) {
        for (const digit of each) {
          const at = digit * Math.pow(10, power);
          if (at >= from && at <= to) ticks.push({at, text: format(at)});
        }
      }
      return ticks;
    }
    const rough = (to - from) / count;
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough * (1 - NEAR));
    for (let i = Math.ceil(from / step - NEAR); i * step <= to + step * NEAR; i++) {
      ticks.push({at: i * step, text: format(Number((i * step).toPrecision(12)))});
    }
    return ticks;
  }

  // The ends of an axis: those given, else those of the data with some room.
  function home(axis, values) {
    const least = Math.min(...values), greatest = Math.max(...values);
    let from = axis.from ?? least, to = axis.to ?? greatest;
    if (axis.log) {
      const room = Math.pow(to / from, 0.04) || 1.1;
      return [axis.from ?? from / room, axis.to ?? to * room];
    }
    const room = (to - from) * 0.05 || 1;
    return [axis.from ?? from - room, axis.to ?? to + room];
  }

  function axisOf(data, values) {
    const axis = {...data, log: data.scale === 'log', zoomed: false};
    axis.names = axis.ticks.length > 0 && axis.ticks.every((tick) => Number.isInteger(tick.at)) &&
      axis.from === -0.5;
    axis.home = home(axis, values);
    if (!(axis.home[1] > axis.home[0])) axis.home = [axis.home[0] - 1, axis.home[1] + 1];
    axis.view = axis.home.slice();
    return axis;
  }

  // Marks around 0, 0 of look_mark's shapes.
  const SHAPES = ['M-4,0A4,4,0,1,1,4,0A4,4,0,1,1,-4,0Z', 'M-3.5,-3.5H3.5V3.5H-3.5Z',
    'M0,-4.5L4.3,3.2H-4.3Z', 'M0,-5L4.5,0L0,5L-4.5,0Z', 'M0,4.5L4.3,-3.2H-4.3Z',
    'M-4,0A4,4,0,1,1,4,0A4,4,0,1,1,-4,0Z', 'M-3.5,-3.5H3.5V3.5H-3.5Z'];

  class Plot {
    constructor(data, place) {
      this.data = data;
      this.place = place;
      this.hidden = new Set(); // names of series
      this.panels = data.panels.map((panel) => ({...panel}));
      const xs = this.points().map((point) => point[0]);
      this.x = axisOf(data.x, xs);
      for (const panel of this.panels) {
        const ys = panel.series.flatMap((series) =>
          series.points.flatMap((point) => point.slice(1).filter((y) => y !== null)));
        panel.axis = axisOf(panel.y, ys.length > 0 ? ys : [0, 1]);
      }
      this.layout();
      this.build();
      this.draw();
      this.listen();
    }

    points() {
      return this.data.panels.flatMap((panel) => panel.series.flatMap((series) => series.points));
    }

    // Where panels stand; names of events need lines above the first.
    layout() {
      const high = this.panels.length > 1 ? PANEL : SINGLE;
      this.lines = this.data.events.length > 0 || this.data.warmup > 0 ? EVENT_LINES : 0;
      let top = 12 + this.lines * TEXT + (this.data.top ? 40 : 0);
      this.x.room = [LEFT, WIDTH - RIGHT];
      for (const panel of this.panels) {
        panel.top = top;
        panel.bottom = top + high;
        panel.axis.room = [panel.bottom, panel.top];
        top += high + GAP;
      }
      this.height = top - GAP + FOOT;
    }

    build() {
      this.key = html('div', 'key', this.place);
      if (this.data.keyTitle) html('span', 'key-title', this.key, this.data.keyTitle);
      this.svg = node('svg', {viewBox: `0 0 ${WIDTH} ${this.height}`, tabindex: 0, role: 'application',
        'aria-label': `${this.data.title}. Arrows go from point to point, plus and minus zoom, ` +
          '0 shows all.'}, this.place);
      const defs = node('defs', {}, this.svg);
      this.panels.forEach((panel, i) => {
        panel.clip = `clip-${this.data.name}-${i}`;
        const clip = node('clipPath', {id: panel.clip}, defs);
        node('rect', {x: LEFT, y: panel.top, width: WIDTH - LEFT - RIGHT,
          height: panel.bottom - panel.top}, clip);
      });
      this.drawing = node('g', {}, this.svg);
      this.cursor = node('g', {class: 'cursor'}, this.svg);
      this.box = node('rect', {class: 'box', visibility: 'hidden'}, this.svg);
      this.tip = html('div', 'tip', this.place);
      this.tip.setAttribute('role', 'status');
      this.tip.hidden = true;
      this.buildKey();
    }

    buildKey() {
      const seen = new Set();
      for (const panel of this.panels) {
        for (const series of panel.series) {
          if (series.points.length === 0) continue;
          const name = series.name ?? '';
          if (name === '' || seen.has(name)) continue;
          seen.add(name);
          const button = html('button', 'entry', this.key);
          button.type = 'button';
          button.setAttribute('aria-pressed', 'true');
          const sample = node('svg', {width: 34, height: 12, viewBox: '0 0 34 12',
            'aria-hidden': true}, button);
          this.sample(series, sample);
          html('span', '', button, name);
          if (series.note) html('span', 'note', button, series.note);
          button.addEventListener('click', () => this.toggle(name, button));
        }
      }
      if (this.data.mean) {
        const entry = html('span', 'entry', this.key);
        const sample = node('svg', {width: 34, height: 12, viewBox: '0 0 34 12',
          'aria-hidden': true}, entry);
        node('path', {d: 'M0,6H34', class: 'mean'}, sample);
        html('span', '', entry, this.data.mean.text);
      }
      this.key.hidden = this.key.childElementCount === 0;
    }

    sample(series, svg) {
      const look = `c${series.colour}`;
      if (series.style === 'bars') {
        node('rect', {x: 4, y: 1, width: 26, height: 10, class: `${look} bar`}, svg);
        return;
      }
      if (series.style !== 'marks') {
        node('path', {d: 'M0,6H34', class: `${look} line`, 'stroke-dasharray': series.dash}, svg);
      }
      if (series.style === 'marked' || series.style === 'marks') {
        node('path', {d: SHAPES[series.mark], transform: 'translate(17,6)',
          class: `${look} mark m${series.mark}`}, svg);
      }
    }

    toggle(name, button) {
      const shown = this.hidden.has(name);
      if (shown) this.hidden.delete(name); else this.hidden.add(name);
      button.setAttribute('aria-pressed', String(shown));
      this.unread();
      this.draw();
    }

    isShown(series) {
      return !this.hidden.has(series.name ?? series.group ?? '');
    }

    draw() {
      this.drawing.replaceChildren();
      this.panels.forEach((panel, i) => this.drawPanel(panel, i));
      this.drawNames();
      if (this.data.top) this.drawTop();
    }

    drawPanel(panel, i) {
      const group = node('g', {class: 'panel'}, this.drawing);
      const inside = node('g', {'clip-path': `url(#${panel.clip})`}, group);
      const last = i + 1 === this.panels.length;
      this.drawAxes(panel, group, inside, last);
      this.drawRules(panel, inside);
      for (const series of panel.series) {
        if (this.isShown(series) && series.points.length > 0) this.drawSeries(series, panel, inside);
      }
      if (i === 0) this.drawMarks(panel, inside);
    }

    drawAxes(panel, group, inside, last) {
      const axis = panel.axis;
      if (this.data.warmup > 0) {
        const to = Math.max(LEFT, toPixel(this.x, this.data.warmup));
        const from = toPixel(this.x, this.x.home[0]);
        node('rect', {class: 'warmup', x: from, y: panel.top, width: Math.max(0, to - from),
          height: panel.bottom - panel.top}, inside);
      }
      for (const tick of ticksOf(axis, 6)) {
        const y = toPixel(axis, tick.at);
        node('path', {class: 'rule', d: `M${LEFT},${y}H${WIDTH - RIGHT}`}, inside);
        node('text', {class: 'tick', x: LEFT - 8, y: y + 4, 'text-anchor': 'end'}, group, tick.text);
      }
      const stroke = `M${LEFT},${panel.top}V${panel.bottom}H${WIDTH - RIGHT}`;
      node('path', {class: 'axis', d: stroke}, group);
      for (const tick of ticksOf(this.x, 8)) {
        const x = toPixel(this.x, tick.at);
        node('path', {class: 'axis', d: `M${x},${panel.bottom}v5`}, group);
        if (last) {
          node('text', {class: 'tick', x, y: panel.bottom + 19, 'text-anchor': 'middle'}, group,
            tick.text);
        }
      }
      const middle = (panel.top + panel.bottom) / 2;
      node('text', {class: 'label', transform: `translate(16,${middle}) rotate(-90)`,
        'text-anchor': 'middle'}, group, axis.label);
      if (last) {
        node('text', {class: 'label', x: (LEFT + WIDTH - RIGHT) / 2, y: panel.bottom + 42,
          'text-anchor': 'middle'}, group, this.x.label);
      }
    }

    drawTop() {
      const y = this.panels[0].top;
      const [from, to] = this.x.view;
      node('path', {class: 'axis', d: `M${LEFT},${y}H${WIDTH - RIGHT}`}, this.drawing);
      for (const tick of this.data.top.ticks) {
        if (tick.at < from || tick.at > to) continue;
        const x = toPixel(this.x, tick.at);
        node('path', {class: 'axis', d: `M${x},${y}v-5`}, this.drawing);
        node('text', {class: 'tick', x, y: y - 9, 'text-anchor': 'middle'}, this.drawing, tick.text);
      }
      node('text', {class: 'label', x: (LEFT + WIDTH - RIGHT) / 2, y: y - 28,
        'text-anchor': 'middle'}, this.drawing, this.data.top.label);
    }

    drawRules(panel, inside) {
      for (const event of this.data.events) {
        const x = toPixel(this.x, event.x);
        node('path', {class: 'event', d: `M${x},${panel.top}V${panel.bottom}`}, inside);
      }
      if (this.data.mean) {
        const x = toPixel(this.x, this.data.mean.x);
        node('path', {class: 'mean', d: `M${x},${panel.top}V${panel.bottom}`}, inside);
      }
    }

    // Names of events above the first panel, each where those before it leave room.
    drawNames() {
      const top = this.panels[0]?.top;
      const taken = new Array(this.lines).fill(-Infinity);
      const [from, to] = this.x.view;
      const names = this.data.events.map((event) => ({...event}));
      if (this.data.warmup > 0) names.unshift({x: this.x.home[0], text: 'warm-up'});
      for (const name of names) {
        if (name.x < from || name.x > to) continue;
        const width = name.text.length * 6.3 + 10;
        const x = toPixel(this.x, name.x);
        const right = x + width > WIDTH && x - width > LEFT;
        const start = right ? x - width : x;
        const line = taken.findIndex((end) => end <= start);
        if (line < 0) continue;
        taken[line] = start + width;
        node('text', {class: 'name', x, y: top - 5 - line * TEXT,
          'text-anchor': right ? 'end' : 'start'}, this.drawing, name.text);
      }
    }

    drawMarks(panel, inside) {
      this.data.marks.forEach((mark, i) => {
        const x = toPixel(this.x, mark.x), y = toPixel(panel.axis, mark.y);
        node('path', {class: 'event', d: `M${x},${y}V${panel.bottom}`}, inside);
        node('circle', {class: 'c0 dot', cx: x, cy: y, r: 3.5}, inside);
        node('text', mark.left
          ? {class: 'name', x: x - 8, y: y - 4 - 9 * (i - 1), 'text-anchor': 'end'}
          : {class: 'name', x: x + 8, y: y + 14}, inside, mark.text);
      });
      if (this.data.remark) {
        node('text', {class: 'name', x: LEFT + 10, y: panel.top + 16}, inside, this.data.remark);
      }
    }

    drawSeries(series, panel, inside) {
      const px = (point) => toPixel(this.x, point[0]);
      const py = (value) => toPixel(panel.axis, value);
      const look = `c${series.colour}`;
      const round = (value) => Math.round(value * 100) / 100;
      const group = node('g', {class: 'series', 'data-name': series.name ?? ''}, inside);
      if (series.style === 'bars') {
        const wide = Math.abs(toPixel(this.x, 0.85) - toPixel(this.x, 0));
        series.points.forEach((point, i) => {
          const y = py(point[1]), base = py(panel.axis.log ? panel.axis.view[0] : 0);
          node('rect', {class: `${look} bar`, x: px(point) - wide / 2, y: Math.min(y, base),
            width: wide, height: Math.abs(base - y)}, group);
          if (series.labels) {
            node('text', {class: 'name', x: px(point), y: y - 5, 'text-anchor': 'middle'}, group,
              series.labels[i]);
          }
        });
        return;
      }
      const spread = series.points.filter((point) => point[2] != null);
      if (spread.length > 0 && series.spread === 'band') {
        const upper = spread.map((point) => `${round(px(point))},${round(py(point[3]))}`);
        const lower = spread.map((point) => `${round(px(point))},${round(py(point[2]))}`);
        node('path', {class: `${look} band`, d: `M${upper.join('L')}L${lower.reverse().join('L')}Z`},
          group);
      }
      if (series.spread === 'whiskers') this.drawWhiskers(series, panel, group);
      if (series.style !== 'marks') {
        const places = series.points.map((point) => `${round(px(point))},${round(py(point[1]))}`);
        let d = `M${places.join('L')}`;
        if (series.style === 'steps') {
          d = 'M' + series.points.map((point, i) =>
            (i > 0 ? `H${round(px(point))}V` : `${round(px(point))},`) + round(py(point[1]))).join('');
        }
        node('path', {class: `${look} line`, d, 'stroke-dasharray': series.dash}, group);
      }
      if (series.style === 'marks' || series.style === 'marked') {
        for (const point of series.points) {
          node('path', {class: `${look} mark m${series.mark}`, d: SHAPES[series.mark],
            transform: `translate(${round(px(point))},${round(py(point[1]))})`}, group);
        }
      }
    }

    drawWhiskers(series, panel, group) {
      series.points.forEach((point, i) => {
        const x = toPixel(this.x, point[0]), y = toPixel(panel.axis, point[1]);
        if (point[2] != null) {
          const low = toPixel(panel.axis, point[2]), high = toPixel(panel.axis, point[3]);
          node('path', {class: `c${series.colour} whisker`,
            d: `M${x - 4},${low}h8m-4,0V${high}m-4,0h8`}, group);
        }
        const across = series.across?.[i];
        if (across && across[0] !== null) {
          const from = toPixel(this.x, across[0]), to = toPixel(this.x, across[1]);
          node('path', {class: `c${series.colour} whisker`,
            d: `M${from},${y - 4}v8m0,-4H${to}m0,-4v8`}, group);
        }
      });
    }

    // Reading off.

    panelAt(y) {
      return this.panels.find((panel) => y >= panel.top - GAP / 2 && y <= panel.bottom + GAP / 2);
    }

    // The nearest drawn point to a pixel, within reach.
    nearest(x, y) {
      const panel = this.panelAt(y);
      let best = null, least = REACH;
      for (const series of panel ? panel.series : []) {
        if (!this.isShown(series)) continue;
        series.points.forEach((point, index) => {
          const dx = toPixel(this.x, point[0]) - x, dy = toPixel(panel.axis, point[1]) - y;
          const distance = Math.hypot(dx, dy);
          if (distance < least && this.isVisible(panel, point)) {
            least = distance;
            best = {panel, series, index};
          }
        });
      }
      return best;
    }

    isVisible(panel, point) {
      const x = toPixel(this.x, point[0]), y = toPixel(panel.axis, point[1]);
      return x >= LEFT - 1 && x <= WIDTH - RIGHT + 1 && y >= panel.top - 1 && y <= panel.bottom + 1;
    }

    describe(read) {
      const {panel, series, index} = read;
      const [x, y, low, high] = series.points[index];
      const tick = this.x.names || this.x.ticks.length > 0
        ? this.x.ticks.find((one) => Math.abs(one.at - x) <= (this.x.names ? 0.4 : 0)) : undefined;
      const lines = [];
      const name = series.name ?? series.group;
      if (name) lines.push(name);
      if (series.labels) lines.push(series.labels[index]);
      lines.push(`${this.x.label}: ${tick ? tick.text : format(x)}`);
      lines.push(`${panel.axis.label}: ${format(y)}`);
      if (low != null) lines.push(`95 % interval: ${format(low)} to ${format(high)}`);
      return lines;
    }

    read(read) {
      this.reading = read;
      this.cursor.replaceChildren();
      if (!read) {
        this.tip.hidden = true;
        return;
      }
      const point = read.series.points[read.index];
      const x = toPixel(this.x, point[0]), y = toPixel(read.panel.axis, point[1]);
      node('circle', {class: `c${read.series.colour} ring`, cx: x, cy: y, r: 7}, this.cursor);
      this.show(this.describe(read), x, y);
    }

    show(lines, x, y) {
      const size = this.svg.getBoundingClientRect(), around = this.place.getBoundingClientRect();
      const scale = size.width / WIDTH;
      this.tip.replaceChildren(...lines.map((line) => html('div', '', null, line)));
      this.tip.hidden = false;
      const wide = this.tip.offsetWidth, right = x * scale + wide + 24 > size.width;
      const left = size.left - around.left + x * scale + (right ? -wide - 14 : 14);
      this.tip.style.left = `${Math.max(0, left)}px`;
      this.tip.style.top = `${Math.max(0, size.top - around.top + y * scale - 12)}px`;
    }

    unread() {
      this.read(null);
    }

    // Zooming: `factor` below 1 looks closer at value x of all panels and y of one.
    zoom(factor, x, y, panel) {
      const scale = (axis, pixel) => {
        const middle = bend(axis, toValue(axis, pixel));
        const ends = axis.view.map((end) => middle + (bend(axis, end) - middle) * factor);
        if (!(Math.abs(ends[1] - ends[0]) > NEAR * (1 + Math.abs(middle)))) return;
        axis.view = ends.map((end) => unbend(axis, end));
        axis.zoomed = true;
      };
      scale(this.x, x);
      if (panel) scale(panel.axis, y);
      this.redraw();
    }

    move(dx, dy, panel) {
      const shift = (axis, pixels) => {
        const [from, to] = axis.room;
        axis.view = [from - pixels, to - pixels].map((pixel) => toValue(axis, pixel));
        axis.zoomed = true;
      };
      shift(this.x, dx);
      if (panel) shift(panel.axis, dy);
      this.redraw();
    }

    zoomTo(from, to, panel) {
      const xs = [from.x, to.x].sort((a, b) => a - b), ys = [from.y, to.y].sort((a, b) => b - a);
      const views = [xs.map((x) => toValue(this.x, x)), ys.map((y) => toValue(panel.axis, y))];
      [this.x.view, panel.axis.view] = views;
      this.x.zoomed = panel.axis.zoomed = true;
      this.redraw();
    }

    reset() {
      for (const axis of [this.x, ...this.panels.map((panel) => panel.axis)]) {
        axis.view = axis.home.slice();
        axis.zoomed = false;
      }
      this.redraw();
    }

    redraw() {
      this.draw();
      this.unread();
    }

    // Where the pointer is, in the drawing's pixels.
    where(event) {
      const size = this.svg.getBoundingClientRect();
      return {x: (event.clientX - size.left) * WIDTH / size.width,
        y: (event.clientY - size.top) * this.height / size.height};
    }

    listen() {
      const svg = this.svg;
      svg.addEventListener('wheel', (event) => {
        // The page scrolls on unless the figure was chosen by a click, or Ctrl is held.
        if (document.activeElement !== svg && !event.ctrlKey) return;
        event.preventDefault();
        const {x, y} = this.where(event);
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, x, y, this.panelAt(y));
      }, {passive: false});
      svg.addEventListener('pointerdown', (event) => this.press(event));
      svg.addEventListener('pointermove', (event) => this.drag(event));
      svg.addEventListener('pointerup', (event) => this.release(event));
      svg.addEventListener('pointercancel', () => this.drop());
      svg.addEventListener('pointerleave', () => { if (!this.held) this.unread(); });
      svg.addEventListener('dblclick', () => this.reset());
      svg.addEventListener('keydown', (event) => this.type(event));
      svg.addEventListener('blur', () => this.unread());
    }

    press(event) {
      if (event.button !== 0) return;
      const at = this.where(event);
      this.held = {from: at, last: at, panel: this.panelAt(at.y), box: event.shiftKey};
      this.svg.setPointerCapture(event.pointerId);
      this.svg.focus({preventScroll: true});
    }

    drag(event) {
      const at = this.where(event), held = this.held;
      if (!held) {
        this.read(this.nearest(at.x, at.y));
      } else if (held.box && held.panel) {
        const {from} = held;
        for (const [key, value] of Object.entries({x: Math.min(from.x, at.x),
          y: Math.min(from.y, at.y), width: Math.abs(at.x - from.x),
          height: Math.abs(at.y - from.y), visibility: 'visible'})) this.box.setAttribute(key, value);
      } else if (held.moved || Math.hypot(at.x - held.from.x, at.y - held.from.y) > 4) {
        held.moved = true;
        this.move(at.x - held.last.x, at.y - held.last.y, held.panel);
        held.last = at;
      }
    }

    release(event) {
      const held = this.held, at = this.where(event);
      this.drop();
      if (held?.box && held.panel && Math.abs(at.x - held.from.x) > 5 &&
          Math.abs(at.y - held.from.y) > 5) this.zoomTo(held.from, at, held.panel);
    }

    drop() {
      this.held = null;
      this.box.setAttribute('visibility', 'hidden');
    }

    type(event) {
      const middle = (LEFT + WIDTH - RIGHT) / 2, panel = this.reading?.panel ?? this.panels[0];
      const half = (panel.top + panel.bottom) / 2;
      const keys = {
        '+': () => this.zoom(0.8, middle, half, panel), '=': () => this.zoom(0.8, middle, half, panel),
        '-': () => this.zoom(1.25, middle, half, panel), '0': () => this.reset(),
        Escape: () => this.unread(), ArrowLeft: () => this.step(-1, 0),
        ArrowRight: () => this.step(1, 0), ArrowUp: () => this.step(0, -1),
        ArrowDown: () => this.step(0, 1),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    }

    // From point to point, or from series to series.
    step(points, series) {
      const all = this.panels.flatMap((panel) => panel.series
        .filter((one) => this.isShown(one) && one.points.length > 0)
        .map((one) => ({panel, series: one})));
      if (all.length === 0) return;
      const at = this.reading ? all.findIndex((one) => one.series === this.reading.series) : -1;
      const next = all[at < 0 ? 0 : (at + series + all.length) % all.length];
      const last = next.series.points.length - 1;
      const index = at < 0 ? 0 : Math.min(last, Math.max(0, this.reading.index + points));
      this.read({...next, index});
    }
  }

  // A heat map: cells over two axes of names.
  class HeatMap {
    constructor(data, place, palette) {
      this.data = data;
      this.place = place;
      this.palette = palette;
      const {columns, rows} = data.grid;
      this.wide = (WIDTH - LEFT - 130) / columns.length;
      this.high = Math.max(28, Math.min(70, 330 / rows.length));
      this.height = 12 + this.high * rows.length + FOOT;
      this.svg = node('svg', {viewBox: `0 0 ${WIDTH} ${this.height}`, tabindex: 0,
        role: 'application', 'aria-label': `${data.title}. Arrows go from cell to cell.`}, place);
      this.tip = html('div', 'tip', place);
      this.tip.setAttribute('role', 'status');
      this.tip.hidden = true;
      this.at = -1;
      this.draw();
      this.listen();
    }

    colour(share) {
      const place = Math.min(1, Math.max(0, share)) * (this.palette.length - 1);
      const i = Math.min(this.palette.length - 2, Math.floor(place)), part = place - i;
      return this.palette[i].map((from, j) => from + part * (this.palette[i + 1][j] - from));
    }

    draw() {
      const {columns, rows, cells} = this.data.grid;
      const values = cells.map((cell) => cell[0]).filter((value) => value !== null);
      this.least = Math.min(...values);
      this.greatest = Math.max(...values);
      cells.forEach((cell, i) => this.drawCell(cell, i % columns.length,
        Math.floor(i / columns.length)));
      columns.forEach((name, i) => node('text', {class: 'tick', x: LEFT + (i + 0.5) * this.wide,
        y: this.bottom() + 18, 'text-anchor': 'middle'}, this.svg, name));
      rows.forEach((name, i) => node('text', {class: 'tick', x: LEFT - 8,
        y: this.bottom() - (i + 0.5) * this.high + 4, 'text-anchor': 'end'}, this.svg, name));
      node('text', {class: 'label', x: LEFT + this.wide * columns.length / 2, y: this.bottom() + 42,
        'text-anchor': 'middle'}, this.svg, this.data.x.label);
      node('text', {class: 'label', 'text-anchor': 'middle',
        transform: `translate(16,${12 + this.high * rows.length / 2}) rotate(-90)`}, this.svg,
      this.data.rowLabel);
      this.drawScale();
    }

    bottom() {
      return 12 + this.high * this.data.grid.rows.length;
    }

    share(value) {
      return this.greatest > this.least ? (value - this.least) / (this.greatest - this.least) : 0.5;
    }

    drawCell(cell, column, row) {
      const x = LEFT + column * this.wide, y = this.bottom() - (row + 1) * this.high;
      if (cell[0] === null) {
        node('rect', {class: 'nothing', x, y, width: this.wide, height: this.high}, this.svg);
        return;
      }
      const share = this.share(cell[0]), rgb = this.colour(share).map((one) => Math.round(one * 255));
      node('rect', {class: 'cell', x, y, width: this.wide, height: this.high,
        fill: `rgb(${rgb})`}, this.svg);
      node('text', {x: x + this.wide / 2, y: y + this.high / 2 + 4, 'text-anchor': 'middle',
        'font-size': 12, fill: share < 0.55 ? '#fff' : '#000'}, this.svg, format(cell[0]));
    }

    drawScale() {
      const x = WIDTH - 100, steps = 40, all = this.bottom() - 12;
      for (let i = 0; i < steps; i++) {
        const rgb = this.colour(i / (steps - 1)).map((one) => Math.round(one * 255));
        node('rect', {x, y: this.bottom() - (i + 1) * all / steps, width: 16,
          height: all / steps + 0.5, fill: `rgb(${rgb})`}, this.svg);
      }
      const ends = this.greatest > this.least ? [0, 0.5, 1] : [0.5];
      for (const share of ends) {
        node('text', {class: 'tick', x: x + 22, y: this.bottom() - share * all + 4}, this.svg,
          format(this.least + share * (this.greatest - this.least)));
      }
      node('text', {class: 'label', 'text-anchor': 'middle',
        transform: `translate(${WIDTH - 8},${12 + all / 2}) rotate(-90)`}, this.svg,
      this.data.grid.label);
    }

    read(i) {
      const {columns, rows, cells, label} = this.data.grid;
      this.at = i;
      this.tip.hidden = !(i >= 0 && cells[i][0] !== null);
      if (this.tip.hidden) return;
      const [value, low, high] = cells[i], column = i % columns.length;
      const row = Math.floor(i / columns.length);
      const lines = [`${this.data.x.label}: ${columns[column]}`,
        `${this.data.rowLabel}: ${rows[row]}`, `${label}: ${format(value)}`];
      if (low != null) lines.push(`95 % interval: ${format(low)} to ${format(high)}`);
      Plot.prototype.show.call(this, lines, LEFT + (column + 0.5) * this.wide,
        this.bottom() - (row + 0.5) * this.high);
    }

    listen() {
      const {columns, rows} = this.data.grid;
      this.svg.addEventListener('pointermove', (event) => {
        const {x, y} = Plot.prototype.where.call(this, event);
        const column = Math.floor((x - LEFT) / this.wide);
        const row = Math.floor((this.bottom() - y) / this.high);
        const inside = column >= 0 && column < columns.length && row >= 0 && row < rows.length;
        this.read(inside ? row * columns.length + column : -1);
      });
      this.svg.addEventListener('pointerleave', () => this.read(-1));
      this.svg.addEventListener('blur', () => this.read(-1));
      this.svg.addEventListener('keydown', (event) => {
        const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: columns.length,
          ArrowDown: -columns.length};
        const next = this.at < 0 ? 0 : this.at + (steps[event.key] ?? 0);
        if (event.key in steps && next >= 0 && next < columns.length * rows.length) {
          event.preventDefault();
          this.read(next);
        }
      });
    }
  }

  const report = JSON.parse(document.getElementById('data').textContent);
  const plots = report.figures.map((figure) => {
    const place = document.getElementById(`plot-${figure.name}`);
    return figure.grid ? new HeatMap(figure, place, report.palette) : new Plot(figure, place);
  });
  document.documentElement.classList.add('drawn');
  window.pealReport = {plots, report, toPixel, toValue};
})();
